"""One layer's linear attention as it ran: its unrolled matrix, and the proof that it is the layer's own."""

from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor, nn

from attnscope.errors import ModelError
from attnscope.models.attention.interface import AttentionCall, Block
from attnscope.models.linear_attention.recurrence import Recurrence

# What M · v may miss of a query's output: units of the precision that it was returned in, and, as a share of its length
# and the usual one, what single precision makes of long sums.
_UNITS, _SUMS = 2, 1e-4


class LinearCall(AttentionCall):
    """A call of linear attention, of which the model has formed the output and no matrix.

    value, output: (batch, head, token, value). skip: (head,) how much of a token's own value goes on to its output
    beside the recurrence, as a residual connection would; it is no part of the matrix. None: nothing.

    `weights` are signed and sum to nothing in particular. None leaves here unless M · v gives the layer's output.
    `missed` is the most that it missed so far, as a share of it.
    """

    def __init__(
        self, module: nn.Module, recurrence: Recurrence, value: Tensor, output: Tensor, skip: Tensor | None = None
    ) -> None:
        self.module, self.recurrence, self.value, self.output, self.skip = module, recurrence, value, output, skip
        self.batch, self.heads, self.queries, _ = recurrence.query.shape
        self.keys = self.queries
        self.missed = 0.0

    def of_text(self, place: int, tokens: int) -> "LinearCall":
        """The call of one text of the batch, without its padding on the right."""
        row = slice(place, place + 1)
        value, output = self.value[row, :, :tokens], self.output[row, :, :tokens]
        return LinearCall(self.module, self.recurrence.of_text(place, tokens), value, output, self.skip)

    def weights(self, chosen: Tensor) -> Tensor:
        """As in AttentionCall, signed. Raises ModelError where they do not rebuild the layer's output."""
        rows = self.recurrence.rows(chosen)
        self._check(rows, chosen.to(rows.device))
        return rows.float()

    def _check(self, rows: Tensor, chosen: Tensor) -> None:
        output = self._of_recurrence[:, :, chosen]
        missed = (rows @ self.value[:, :, : rows.shape[-1]].to(rows) - output).norm(dim=-1)
        usual = self._of_recurrence.square().sum(-1, keepdim=True).mean(2).sqrt()
        size = output.norm(dim=-1) + usual
        rounding = _UNITS * torch.finfo(self.output.dtype).eps * self.output[:, :, chosen].to(rows).norm(dim=-1)
        smallest = torch.finfo(rows.dtype).tiny
        self.missed = max(self.missed, (missed / size.clamp_min(smallest)).max().nan_to_num(torch.inf).item())
        if not bool((missed <= _SUMS * size + rounding + smallest).all()):
            raise ModelError(
                f"{type(self.module).__name__} does not return what its unrolled matrix makes of its values (off by "
                f"{self.missed:.2g} of its output): attnscope does not know this linear attention; please report it"
            )

    @cached_property
    def _of_recurrence(self) -> Tensor:
        """The output without what goes past the state, (batch, head, token, value)."""
        output = self.output.to(self.recurrence.query.dtype)
        if self.skip is None:
            return output
        return output - self.skip.to(output)[:, None, None] * self.value.to(output)

    def blocks(self, chosen: Tensor | None = None) -> Iterator[Block]:
        """As in AttentionCall; queries come in ascending order."""
        return super().blocks(None if chosen is None else chosen.sort().values)
