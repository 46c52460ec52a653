"""A layer's attention with its heads put together, kept so that it can be applied later without its n × n matrix.

Chains over layers for one query run from the top layer down, while the model runs from the bottom up. What is kept of
a layer that went through fast attention are its queries and keys, O(n · hidden); its weights are made again, a block at
a time, when their turn comes. Of a layer outside the interface the matrix itself is kept, heads already put together.
"""

from collections.abc import Callable, Iterator
from copy import copy

import torch
from torch import Tensor

from attnscope.models.attention.interface import Block, Call, Fast

# (batch, head, query, key) -> (batch, query, key)
OVER: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda weights: weights.mean(1),
    "max": lambda weights: weights.amax(1),
    "min": lambda weights: weights.amin(1),
}


class Fused:
    """One layer's attention, heads put together by `over`: (batch, query, key)."""

    def __init__(self, call: Call, over: str) -> None:
        self.batch, self.queries, self.keys = call.batch, call.queries, call.keys
        self.call = call.without_value() if isinstance(call, Fast) else None
        self.over = OVER[over]
        self.matrix = None if self.call else self.over(torch.cat([b.weights for b in call.blocks()], 2))

    def of_text(self, place: int, tokens: int) -> "Fused":
        """The same of one text of the batch, without its padding."""
        if self.batch == 1:
            return self
        single = copy(self)
        single.batch, single.queries, single.keys = 1, tokens, tokens
        single.call = None if self.call is None else self.call.of_text(place, tokens)
        single.matrix = None if self.matrix is None else self.matrix[place : place + 1, :tokens, :tokens]
        return single

    def blocks(self, chosen: Tensor) -> Iterator[Block]:
        """The weights (batch, query, key ≤ keys) of the chosen queries, a block at a time."""
        if self.call is None:
            assert self.matrix is not None
            yield Block(chosen, self.matrix[:, chosen])
            return
        for block in self.call.blocks(chosen):
            yield Block(block.queries, self.over(block.weights))

    def full(self) -> Tensor:
        """All of it, (batch, query, key): for short texts."""
        matrix = torch.zeros(self.batch, self.queries, self.keys)
        for block in self.blocks(torch.arange(self.queries)):
            matrix[:, block.queries, : block.weights.shape[-1]] = block.weights.cpu()
        return matrix
