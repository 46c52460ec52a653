"""One text's passes without this or that: what the target's entries become, and what the model finds likeliest.

Many variants of the text go side by side. Where all of a batch leave the layers below one as they are, the pass begins
there: what lies below is computed once (whether a model allows that is tried once).
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.hooks import embeddings_replaced
from attnscope.models.inputs.batching import BUDGET, budget_for
from attnscope.models.intervention.knock_out import NOTHING, KnockOut, Site, knocked_out
from attnscope.models.intervention.layers import begun_at, layers_recorded
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.model_facts import facts_of
from attnscope.models.quantisation import quantisation_of
from attnscope.models.targets.head_split import logits_of, split_at_head
from attnscope.models.targets.lm_head import head_entries, is_multi_label
from attnscope.models.targets.readout import (
    Entries,
    Readout,
    batch_inputs,
    entries_from_logits,
    entries_in,
    reads_separate_head,
    whole_model_entries,
)
from attnscope.models.typed import split

# What two ways of computing the same may differ by, as a share of the largest entry.
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Reading:
    """What was read off one batch.

    values:  (text, target), float64. entries: (text, entry).
    ranking: (text, token or label), log-probabilities where the next token or the label is predicted; None where the
             place of it was not asked for.
    """

    values: Tensor
    entries: Tensor
    ranking: Tensor | None = None


@dataclass
class Passes:
    """Passes over one text, as one readout reads it.

    site:     where things can be taken away.
    at:       the position whose prediction is ranked; None: none is.
    overwritten, vector: tokens whose embeddings are replaced by this vector in every pass.
    outputs:  what each layer returned for the text as it is; empty until `record` ran.
    pools:    by layer, the outputs of its heads on the text as it is, (query, head, hidden).
    """

    site: Site
    readout: Readout
    at: int | None = None
    overwritten: Sequence[int] = ()
    vector: Tensor | None = None
    outputs: list[Any] = field(default_factory=list)
    pools: dict[int, Tensor] = field(default_factory=dict)

    @property
    def net(self) -> PreTrainedModel:
        """The model."""
        return self.site.net

    @property
    def inputs_length(self) -> int:
        """How many tokens the text has, with what follows it; a decoder's not counted."""
        return len(self.readout.inputs["input_ids"])

    def record(self, layers: Sequence[int] = (), *, outputs: bool = False) -> Reading:
        """The text as it is; on the way, the outputs of the heads of `layers` are kept, and those of whole layers."""

        def keep(layer: int, given: Tensor) -> None:
            if len(given) != 1:
                raise ModelError(
                    f"{type(self.net).__name__} attends to a text in {len(given)} pieces, so there is no output of a "
                    'head for each token: choose how="zero"'
                )
            self.pools[layer] = given[0].detach().clone()

        separate = reads_separate_head(self.net, [self.readout])
        with unchanged(self.net), torch.no_grad(), ExitStack() as stack:
            recorded = stack.enter_context(layers_recorded(self.site.layers)) if outputs else []
            extra = stack.enter_context(knocked_out(self.site, [NOTHING], see_heads=keep, seen=layers))
            reading = self._read(1, extra, separate)
        self.outputs = list(recorded)
        return reading

    def without(self, texts: Sequence[KnockOut], skipped: frozenset[int] = frozenset(), *, begins: int = 0) -> Reading:
        """The text without what each knock-out takes away, side by side.

        begins: the layer below which none of them takes anything away; used after `record(outputs=True)`, where the
        model allows it.
        """
        separate = reads_separate_head(self.net, [self.readout])
        begins = begins if begins and self.outputs and self._can_begin() else 0
        readings = []
        for members in split(torch.arange(len(texts)), self.at_once):
            batch = [texts[i] for i in members.tolist()]
            readings.append(self._without(batch, skipped, begins, separate))
        return Reading(
            torch.cat([one.values for one in readings]),
            torch.cat([one.entries for one in readings]),
            None if self.at is None else torch.cat([one.ranking for one in readings if one.ranking is not None]),
        )

    @property
    def at_once(self) -> int:
        """How many variants of the text a batch has."""
        if quantisation_of(self.net) is not None:  # it may round by the largest number of the batch
            return 1
        budget = budget_for(self.net, [self.readout.inputs], BUDGET)
        return max(1, budget // self.readout.length)

    def _without(self, batch: Sequence[KnockOut], skipped: frozenset[int], begins: int, separate: bool) -> Reading:
        with unchanged(self.net), torch.no_grad(), ExitStack() as stack:
            if begins:
                stack.enter_context(begun_at(self.site.layers, begins, self.outputs, len(batch)))
            extra = stack.enter_context(knocked_out(self.site, batch, skipped, begins=begins))
            return self._read(len(batch), extra, separate)

    def _can_begin(self) -> bool:
        """Whether a pass that begins at a layer gives what the whole pass gives; tried once a model, at two layers."""
        facts = facts_of(self.net)
        if facts.begins_at_layer is None:
            facts.begins_at_layer = self._begins_alike()
        return facts.begins_at_layer

    def _begins_alike(self) -> bool:
        count, layout = len(self.site.layers), self.site.layout
        if count < 2 or not (layout is None or all(name for name, _ in layout.calls)):
            return False
        separate = reads_separate_head(self.net, [self.readout])
        for begins in {max(1, count // 2), count - 1}:
            # Of the two texts, one loses nothing; the other makes the pass watch the attention.
            some = NOTHING if layout is None else _any_head(self.site, begins)
            try:
                whole = self._without([NOTHING, some], frozenset(), 0, separate).entries
                again = self._without([NOTHING, some], frozenset(), begins, separate).entries
            except Exception:  # of the model's own code: a later layer misses what an earlier one keeps for it
                return False
            if not (again - whole).abs().max() <= _TOLERANCE * whole.abs().max().clamp(min=1.0):
                return False
        return True

    def _read(self, size: int, extra: Mapping[str, Any], separate: bool) -> Reading:
        readouts = [self.readout] * size
        inputs = batch_inputs(self.net, readouts)
        entries = entries_in(readouts, inputs["input_ids"].device)
        with embeddings_replaced(self.net, self._overwrite if self.overwritten else None, inputs["input_ids"]):
            numbers, ranked = self._numbers({**inputs, **extra}, entries, separate)
        by_text = entries.by_readout(numbers)
        values = torch.stack([self.readout.value(part).double().cpu() for part in by_text])
        return Reading(values, torch.stack(by_text).detach(), None if ranked is None else self._shares(ranked))

    def _numbers(self, inputs: Mapping[str, Any], entries: Entries, separate: bool) -> tuple[Tensor, Tensor | None]:
        """The entries, and the logits (text, token or label) that are ranked."""
        quantity = self.readout.quantity
        if separate:
            with split_at_head(self.net, inputs) as (hidden, head):
                numbers = head_entries(self.net, hidden[entries.rows, entries.positions], head, entries.ids, quantity)
                return numbers, None if self.at is None else head(hidden[:, self.at : self.at + 1])[:, 0]
        if self.readout.likeness is not None:
            return whole_model_entries(self.net, [self.readout] * len(entries.counts), inputs, entries), None
        logits = logits_of(self.net, inputs)
        numbers = entries_from_logits(self.net, logits, entries, quantity)
        if self.at is None:
            return numbers, None
        return numbers, logits if logits.dim() == 2 else logits[:, self.at]

    def _shares(self, logits: Tensor) -> Tensor:
        logits = logits.float()
        shares = torch.nn.functional.logsigmoid(logits) if is_multi_label(self.net) else logits.log_softmax(-1)
        return shares.cpu()

    def _overwrite(self, embeddings: Tensor) -> Tensor:
        assert self.vector is not None
        embeddings = embeddings.clone()
        embeddings[:, list(self.overwritten)] = self.vector.to(embeddings)
        return embeddings


def _any_head(site: Site, begins: int) -> KnockOut:
    """A head at or above a layer, taken away."""
    assert site.layout is not None
    layers = [layer for layer in site.layout.heads_of(site.stack) if layer >= begins]
    return KnockOut(heads={(layers[0], 0): None}) if layers else NOTHING
