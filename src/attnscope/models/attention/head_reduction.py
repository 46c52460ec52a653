"""A layer's attention reduced over its heads, kept so that it can be applied later without its n × n matrix.

Chains over layers for one query run from the top layer down, while the model runs from the bottom up. A layer that went
through fast attention keeps its queries and keys, O(n · hidden), and its weights are recomputed a block at a time when
their turn comes. A layer outside the interface keeps the matrix itself, already reduced.
"""

from collections.abc import Callable, Iterator
from copy import copy

import torch
from torch import Tensor

from attnscope.models.attention.interface import AttentionCall, Block, SDPACall

# (batch, head, query, key) -> (batch, query, key)
REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda weights: weights.mean(1),
    "max": lambda weights: weights.amax(1),
    "min": lambda weights: weights.amin(1),
}


class HeadReduction:
    """One layer's attention, (batch, query, key): `over` says how its heads are reduced, by a name of REDUCTIONS."""

    def __init__(self, call: AttentionCall, over: str) -> None:
        self.batch, self.queries, self.keys = call.batch, call.queries, call.keys
        self._reduce = REDUCTIONS[over]
        self._call = call.without_value() if isinstance(call, SDPACall) else None
        self._matrix = None if self._call else self._reduce(torch.cat([b.weights for b in call.blocks()], 2))

    def of_text(self, place: int, tokens: int) -> "HeadReduction":
        """The same of one text of the batch, without its padding."""
        if self.batch == 1:
            return self
        single = copy(self)
        single.batch, single.queries, single.keys = 1, tokens, tokens
        single._call = None if self._call is None else self._call.of_text(place, tokens)
        single._matrix = None if self._matrix is None else self._matrix[place : place + 1, :tokens, :tokens]
        return single

    def blocks(self, chosen: Tensor) -> Iterator[Block]:
        """The weights (batch, query, key ≤ keys) of the chosen queries, a block at a time."""
        if self._matrix is not None:
            yield Block(chosen, self._matrix[:, chosen])
            return
        assert self._call is not None
        for block in self._call.blocks(chosen):
            yield Block(block.queries, self._reduce(block.weights))

    def full(self) -> Tensor:
        """The whole matrix, (batch, query, key): for short texts."""
        matrix = torch.zeros(self.batch, self.queries, self.keys)
        for block in self.blocks(torch.arange(self.queries)):
            matrix[:, block.queries, : block.weights.shape[-1]] = block.weights.cpu()
        return matrix
