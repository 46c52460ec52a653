"""What is read off one pass through a model, and its value: a few entries of the logits at a few positions.

Every target comes down to this, so that every method runs every target. An entry k is the number that the model gives
`ids[k]` at `positions[k]`: its log-probability, or its logit. A reading's value is made of its entries: their sum (the
log-probability of a continuation), their mean with the sign turned (a loss), the exponential of their sum (a
probability), the difference of two groups (a contrast), or each by itself (per token).

Each entry depends on the hidden vector of its own position alone: the vocabulary head runs on these positions only.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.models.architecture import accepted, task_of
from attnscope.models.hooks import embeddings_replaced
from attnscope.models.inputs.batching import BUDGET, padded
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.targets.head_split import split_at_head
from attnscope.models.targets.lm_head import head_entries, picked

# Changes the embeddings of a batch, (batch, token, hidden), given the indices of its readings.
Change = Callable[[Tensor, Sequence[int]], Tensor]
QUANTITIES = ("log_probability", "loss", "logit", "probability")


@dataclass(frozen=True)
class Reading:
    """One pass and what is read off it.

    inputs:    what the model reads, 1-D lists.
    positions: of each entry, where its logits stand: in the input, or in the decoder's. A sequence classifier has one
               row of logits a text: all are 0.
    ids:       of each entry, the token or label.
    signs:     of each entry, 1 for the target and -1 for what it is held against.
    quantity:  one of QUANTITIES.
    per_token: every entry is a value of its own.
    highest:   the value is the highest entry (a label wherever in the text it is most likely).
    decoder:   the decoder's input, of an encoder–decoder.
    ahead:     1 where an entry at position p is about the token p + 1 (a causal model), else 0.
    own:       the entries are about the text's own tokens, and go when these are taken away.
    """

    inputs: Mapping[str, Sequence[int]]
    positions: tuple[int, ...]
    ids: tuple[int, ...]
    signs: tuple[int, ...]
    quantity: str
    per_token: bool = False
    highest: bool = False
    decoder: tuple[int, ...] = ()
    ahead: int = 0
    own: bool = False

    @property
    def length(self) -> int:
        """Tokens of the pass, the decoder's included."""
        return len(self.inputs["input_ids"]) + len(self.decoder)

    def value(self, entries: Tensor) -> Tensor:
        """(entry,) -> (target,): one value, or one per entry."""
        if self.per_token:
            return _PER_TOKEN[self.quantity](entries)
        total = entries.new_zeros(1)
        for sign in (1, -1):
            group = entries[torch.tensor([s == sign for s in self.signs], device=entries.device)]
            if len(group):
                total = total + sign * (group.amax() if self.highest else _WHOLE[self.quantity](group))
        return total


_WHOLE: dict[str, Callable[[Tensor], Tensor]] = {
    "log_probability": torch.sum,
    "loss": lambda entries: -entries.mean(),
    "logit": torch.sum,
    "probability": lambda entries: entries.sum().exp(),
}
_PER_TOKEN: dict[str, Callable[[Tensor], Tensor]] = {
    "log_probability": lambda entries: entries,
    "loss": lambda entries: -entries,
    "logit": lambda entries: entries,
    "probability": torch.exp,
}


def grouped(lengths: Sequence[int], budget: int = BUDGET) -> Iterator[list[int]]:
    """Indices in groups of similar length, each under the budget with its padding; the longest first."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    while order:
        size = max(1, budget // max(1, lengths[order[0]]))
        yield order[:size]
        order = order[size:]


def batch_inputs(net: PreTrainedModel, readings: Sequence[Reading]) -> dict[str, Tensor]:
    """The inputs of several readings side by side: (batch, token), padded on the right."""
    inputs = padded(net, [{name: list(values) for name, values in r.inputs.items()} for r in readings])
    if readings[0].decoder:
        longest = max(len(r.decoder) for r in readings)
        # What a decoder reads after its last asked position changes nothing before it.
        rows = [[*r.decoder, *[0] * (longest - len(r.decoder))] for r in readings]
        inputs["decoder_input_ids"] = inputs["input_ids"].new_tensor(rows)
    return inputs


def splittable(net: PreTrainedModel) -> bool:
    """Whether the model has a vocabulary head that is worth keeping apart."""
    return task_of(net) in ("causal", "masked", "encoder-decoder")


@dataclass(frozen=True)
class Places:
    """Where the entries of a batch of readings stand, one after the other: rows, positions, ids, each (entry,)."""

    rows: Tensor
    positions: Tensor
    ids: Tensor
    counts: tuple[int, ...]


def places(readings: Sequence[Reading], device: torch.device) -> Places:
    """The entries of all readings on one line."""
    counts = tuple(len(r.ids) for r in readings)
    rows = torch.arange(len(readings), device=device).repeat_interleave(torch.tensor(counts, device=device))
    positions = torch.tensor([p for r in readings for p in r.positions], dtype=torch.long, device=device)
    ids = torch.tensor([i for r in readings for i in r.ids], dtype=torch.long, device=device)
    return Places(rows, positions, ids, counts)


def whole_entries(net: PreTrainedModel, inputs: Mapping[str, Tensor], at: Places, quantity: str) -> Tensor:
    """The entries by the model's own forward: small heads, and models whose head does not come apart."""
    logits = net(**accepted(net, inputs)).logits
    rows = logits[at.rows] if logits.dim() == 2 else logits[at.rows, at.positions]
    return picked(net, rows, at.ids, quantity)


def values(net: PreTrainedModel, readings: Sequence[Reading], *, at: Change | None = None) -> list[Tensor]:
    """The value (target,) of each reading, float64. `at` as in `entries_of`."""
    found = entries_of(net, readings, at=at)
    return [reading.value(entries).double().cpu() for reading, entries in zip(readings, found, strict=True)]


def entries_of(
    net: PreTrainedModel, readings: Sequence[Reading], *, at: Change | None = None, budget: int = BUDGET
) -> list[Tensor]:
    """The entries (entry,) of each reading, by forward passes in batches of similar length under a budget of tokens.

    at: changes the embeddings on their way: (batch, token, hidden) and the readings' indices -> the same shape.
    """
    found: dict[int, Tensor] = {}
    with unchanged(net), torch.no_grad():
        for members in grouped([r.length for r in readings], budget if pads(net) else 1):
            batch = [readings[i] for i in members]
            with embeddings_replaced(net, on_members(at, members)):
                entries = forward_entries(net, batch)
            found.update(zip(members, entries, strict=True))
    return [found[i] for i in range(len(readings))]


def on_members(at: Change | None, members: Sequence[int]) -> Callable[[Tensor], Tensor] | None:
    """`at` for one batch."""
    return None if at is None else lambda embeddings: at(embeddings, members)


def forward_entries(net: PreTrainedModel, batch: Sequence[Reading]) -> list[Tensor]:
    """The entries (entry,) of each reading of one batch, by one pass without gradients."""
    inputs = batch_inputs(net, batch)
    at = places(batch, inputs["input_ids"].device)
    if not splittable(net):
        return list(whole_entries(net, inputs, at, batch[0].quantity).split(at.counts))
    try:
        with split_at_head(net, inputs) as (hidden, head):
            flat = head_entries(net, hidden[at.rows, at.positions], head, at.ids, batch[0].quantity)
    except NotImplementedError:
        flat = whole_entries(net, inputs, at, batch[0].quantity)
    return list(flat.split(at.counts))


def pads(net: PreTrainedModel) -> bool:
    """Whether several texts can go side by side: a causal classifier finds the end of a text by its padding id."""
    return task_of(net) != "classifier" or getattr(net.config.get_text_config(), "pad_token_id", None) is not None
