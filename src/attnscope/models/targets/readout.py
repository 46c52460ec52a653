"""What is read off one pass through a model, and its value: a few entries of the logits at a few positions.

Every target comes down to this, so that every method runs every target. An entry k is the number that the model gives
`ids[k]` at `positions[k]`: its log-probability, or its logit. A readout's value is made of its entries: their sum (the
log-probability of a continuation), their mean with the sign turned (a loss), the exponential of their sum (a
probability), the difference of two groups (a contrast), or each by itself (per token).

Each entry depends on the hidden vector of its own position alone: the vocabulary head runs on these positions only.
Where texts are compared, an entry is the similarity of the whole text to another.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.models.architecture import task_of
from attnscope.models.hooks import embeddings_replaced
from attnscope.models.inputs.batching import BUDGET, budget_for, length_groups, padded
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.progress import bar
from attnscope.models.targets.head_split import has_separate_head, logits_of, split_at_head
from attnscope.models.targets.lm_head import entries_of_logits, head_entries
from attnscope.models.targets.pooling import NAMES, Pooling
from attnscope.models.typed import split_by

# Changes the embeddings of a batch, (batch, token, hidden), given the indices of its readouts.
EmbeddingChange = Callable[[Tensor, Sequence[int]], Tensor]
QUANTITIES = ("log_probability", "loss", "logit", "probability")


@dataclass(frozen=True, eq=False)
class Likeness:
    """What a text is compared with: the vectors of other texts, (reference, hidden), and how they are made."""

    pooling: Pooling
    references: Tensor


@dataclass(frozen=True)
class Readout:
    """One pass and what is read off it.

    inputs:    what the model reads, 1-D lists.
    positions: of each entry, where its logits are: in the input, or in the decoder's. A sequence classifier has one
               row of logits a text: all are 0.
    ids:       of each entry, the token or label.
    signs:     of each entry, 1 for the target and -1 for what it is compared with.
    quantity:  one of QUANTITIES.
    per_token: every entry is a value of its own.
    highest:   the value is the highest entry (a label wherever in the text it is most likely).
    decoder:   the decoder's input, of an encoder–decoder.
    ahead:     1 where an entry at position p is about the token p + 1 (a causal model), else 0.
    of_text:   the entries are about the text's own tokens, and go when these are removed.
    likeness:  the entries are similarities of the text to others, and `ids` are which of these.
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
    of_text: bool = False
    likeness: Likeness | None = None

    @property
    def of_whole(self) -> bool:
        """Whether the entries are about the text as a whole, and stand at none of its tokens."""
        return self.likeness is not None

    @property
    def length(self) -> int:
        """Tokens of the pass, the decoder's included."""
        return len(self.inputs["input_ids"]) + len(self.decoder)

    def joined(self, other: "Readout") -> "Readout":
        """This and another readout of the same pass as one: the entries of both."""
        return replace(
            self,
            positions=self.positions + other.positions,
            ids=self.ids + other.ids,
            signs=self.signs + other.signs,
        )

    def by_entry(self) -> list["Readout"]:
        """Of per-token values, a readout for each."""
        entries = zip(self.positions, self.ids, strict=True)
        return [replace(self, positions=(p,), ids=(i,), signs=(1,), per_token=False) for p, i in entries]

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
_WHOLE |= dict.fromkeys(NAMES.values(), torch.sum)
_PER_TOKEN: dict[str, Callable[[Tensor], Tensor]] = {
    "log_probability": lambda entries: entries,
    "loss": lambda entries: -entries,
    "logit": lambda entries: entries,
    "probability": torch.exp,
}


def batch_inputs(net: PreTrainedModel, readouts: Sequence[Readout]) -> dict[str, Tensor]:
    """The inputs of several readouts side by side: (batch, token), padded on the right."""
    inputs = padded(net, [r.inputs for r in readouts])
    if readouts[0].decoder:
        longest = max(len(r.decoder) for r in readouts)
        # What a decoder reads after its last asked position changes nothing before it.
        rows = [[*r.decoder, *[0] * (longest - len(r.decoder))] for r in readouts]
        inputs["decoder_input_ids"] = inputs["input_ids"].new_tensor(rows)
    return inputs


@dataclass(frozen=True)
class Entries:
    """The entries of a batch of readouts, one after the other: rows of the batch, positions, ids, each (entry,).

    counts: of each readout, how many entries it has.
    """

    rows: Tensor
    positions: Tensor
    ids: Tensor
    counts: tuple[int, ...]

    def by_readout(self, numbers: Tensor) -> list[Tensor]:
        """(entry,) -> of each readout its own."""
        return list(split_by(numbers, self.counts))


def entries_in(readouts: Sequence[Readout], device: torch.device) -> Entries:
    """The entries of a batch of these readouts."""
    counts = tuple(len(r.ids) for r in readouts)
    rows = torch.arange(len(readouts), device=device).repeat_interleave(torch.tensor(counts, device=device))
    positions = torch.tensor([p for r in readouts for p in r.positions], dtype=torch.long, device=device)
    ids = torch.tensor([i for r in readouts for i in r.ids], dtype=torch.long, device=device)
    return Entries(rows, positions, ids, counts)


def reads_separate_head(net: PreTrainedModel, readouts: Sequence[Readout]) -> bool:
    """Whether these are read off a vocabulary head that can run apart from the body."""
    return not any(readout.likeness for readout in readouts) and has_separate_head(net)


def whole_model_entries(
    net: PreTrainedModel, readouts: Sequence[Readout], inputs: Mapping[str, Any], entries: Entries
) -> Tensor:
    """The entries by the model's own forward: small heads, models whose head is not separable, and similarities."""
    quantity, likeness = readouts[0].quantity, readouts[0].likeness
    if likeness is not None:
        vectors = likeness.pooling.vectors(net, inputs)
        compared = [
            one.likeness.pooling.similarities(vector[None], one.likeness.references)[0, list(one.ids)]
            for one, vector in zip(readouts, vectors, strict=True)
            if one.likeness is not None
        ]
        return torch.cat(compared)
    return entries_from_logits(net, logits_of(net, inputs), entries, quantity)


def entries_from_logits(net: PreTrainedModel, logits: Tensor, entries: Entries, quantity: str) -> Tensor:
    """The entries in what the model's own forward gave: (batch, token or label, …)."""
    if task_of(net) == "answer" and quantity != "logit":
        # Where an answer begins is one of the tokens of the text, and so is where it ends.
        logits, quantity = logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(1), "logit"
    rows = logits[entries.rows] if logits.dim() == 2 else logits[entries.rows, entries.positions]
    return entries_of_logits(net, rows, entries.ids, quantity)


def values(net: PreTrainedModel, readouts: Sequence[Readout], *, change: EmbeddingChange | None = None) -> list[Tensor]:
    """The value (target,) of each readout, float64. `change` as in `entries_of`."""
    entries = entries_of(net, readouts, change=change)
    return [readout.value(part).double().cpu() for readout, part in zip(readouts, entries, strict=True)]


def entries_of(
    net: PreTrainedModel, readouts: Sequence[Readout], *, change: EmbeddingChange | None = None, budget: int = BUDGET
) -> list[Tensor]:
    """The entries (entry,) of each readout, by forward passes in batches of similar length under a budget of tokens.

    change: of the embeddings: (batch, token, hidden) and the readouts' indices -> the same shape.
    """
    entries: dict[int, Tensor] = {}
    separate = reads_separate_head(net, readouts)
    with unchanged(net), torch.no_grad(), bar("passes", len(readouts)) as done:
        for members in length_groups([r.length for r in readouts], batch_budget(net, readouts, budget)):
            batch = [readouts[i] for i in members]
            inputs = batch_inputs(net, batch)
            with embeddings_replaced(net, for_members(change, members), inputs["input_ids"]):
                entries.update(zip(members, _batch_entries(net, batch, inputs, separate), strict=True))
            done(len(members))
    return [entries[i] for i in range(len(readouts))]


def for_members(change: EmbeddingChange | None, members: Sequence[int]) -> Callable[[Tensor], Tensor] | None:
    """The change for one batch, of these readouts."""
    return None if change is None else lambda embeddings: change(embeddings, members)


def _batch_entries(
    net: PreTrainedModel, batch: Sequence[Readout], inputs: Mapping[str, Tensor], separate_head: bool
) -> list[Tensor]:
    """The entries (entry,) of each readout of one batch, by one pass without gradients."""
    entries = entries_in(batch, inputs["input_ids"].device)
    if separate_head:
        return entries.by_readout(_split_head_entries(net, inputs, entries, batch[0].quantity))
    return entries.by_readout(whole_model_entries(net, batch, inputs, entries))


def _split_head_entries(net: PreTrainedModel, inputs: Mapping[str, Any], entries: Entries, quantity: str) -> Tensor:
    """The entries by the body and then the head, at their positions only."""
    with split_at_head(net, inputs) as (hidden, head):
        return head_entries(net, hidden[entries.rows, entries.positions], head, entries.ids, quantity)


def batch_budget(net: PreTrainedModel, readouts: Sequence[Readout], budget: int) -> int:
    """The budget, or 1, each text alone, where texts cannot be padded to one length.

    A causal classifier finds the end of a text by its padding id, and some models read their padding too.
    """
    if task_of(net) == "classifier" and getattr(net.config.get_text_config(), "pad_token_id", None) is None:
        return 1
    return budget_for(net, [readout.inputs for readout in readouts], budget)
