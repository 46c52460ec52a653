"""What is read off one pass through a model, and its value: a few entries of the logits at a few positions.

Every target comes down to this, so that every method runs every target. An entry k is the number that the model gives
`ids[k]` at `positions[k]`: its log-probability, or its logit. A reading's value is made of its entries: their sum (the
log-probability of a continuation), their mean with the sign turned (a loss), the exponential of their sum (a
probability), the difference of two groups (a contrast), or each by itself (per token).

Each entry depends on the hidden vector of its own position alone. So the vocabulary head runs on these positions only,
a few at a time, and one backward pass through the head gives the gradients of all entries at once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid
from transformers import PreTrainedModel

from attnscope.models.batches import BUDGET, padded
from attnscope.models.run import accepted, embeddings_replaced, kind_of, split_at_head, unchanged

# Logits that exist at one time, in bytes. Blocks of over 32 MB the allocator takes from the system and gives back at
# once; smaller ones leave holes behind that the next chunk does not fit into, a gigabyte of them on a long text.
LOGITS_BYTES = 48 * 2**20
# Fewer positions at a time than this and reading the vocabulary matrix takes longer than multiplying by it.
FEWEST = 64
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
    return kind_of(net) in ("causal", "masked", "encoder-decoder")


def picked(net: PreTrainedModel, logits: Tensor, ids: Tensor, quantity: str) -> Tensor:
    """(entry, vocabulary), (entry,) -> (entry,): the logits or log-probabilities of these ids."""
    logits = logits.float()
    if quantity == "logit":
        return logits.gather(1, ids[:, None])[:, 0]
    if getattr(net.config, "problem_type", None) == "multi_label_classification":
        return logsigmoid(logits.gather(1, ids[:, None])[:, 0])
    return logits.log_softmax(-1).gather(1, ids[:, None])[:, 0]


def picked_with_gradients(net: PreTrainedModel, logits: Tensor, ids: Tensor, quantity: str) -> tuple[Tensor, Tensor]:
    """What `picked` gives, and the gradient of each entry at its logits (entry, vocabulary).

    Of a log-probability that is one at the id less the probabilities, for which one table is made, not four.
    """
    logits = logits.detach()
    if quantity == "logit" or getattr(net.config, "problem_type", None) == "multi_label_classification":
        with torch.enable_grad():
            values = picked(net, logits.requires_grad_(), ids, quantity)
            return values.detach(), torch.autograd.grad(values.sum(), logits)[0]
    table = logits.float().softmax(-1)
    largest, at = table.max(-1, keepdim=True)
    # The largest probability is never too small for a logarithm.
    values = logits.gather(1, ids[:, None]).float() - logits.gather(1, at).float() + largest.log()
    gradients = table.neg_()
    gradients[torch.arange(len(ids), device=ids.device), ids] += 1
    return values[:, 0], gradients.to(logits.dtype)


def at_a_time(net: PreTrainedModel, hidden: Tensor) -> int:
    """How many positions the vocabulary head takes at once."""
    return max(FEWEST, LOGITS_BYTES // (net.config.get_text_config().vocab_size * hidden.element_size()))


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


def head_entries(
    net: PreTrainedModel, hidden: Tensor, head: Callable[[Tensor], Tensor], ids: Tensor, quantity: str
) -> Tensor:
    """(entry, hidden) -> (entry,), the head on a few positions at a time."""
    size = at_a_time(net, hidden)
    parts = [
        picked(net, head(rows[None])[0], some, quantity)
        for rows, some in zip(hidden.split(size), ids.split(size), strict=True)
    ]
    return torch.cat(parts) if parts else hidden.new_zeros(0)


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
    return kind_of(net) != "classifier" or getattr(net.config.get_text_config(), "pad_token_id", None) is not None
