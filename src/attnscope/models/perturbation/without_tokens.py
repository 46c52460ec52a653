"""The target's value on a text without some of its tokens, for hundreds of sets of tokens.

They go in batches of similar length under a budget of tokens; in a causal model they begin where they differ.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.errors import InputError
from attnscope.models.architecture import task_of
from attnscope.models.embeddings import baseline_vector
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.load import Model
from attnscope.models.perturbation.prefix_reuse import (
    WholePass,
    entries_after_prefix,
    reuses_prefix,
    whole_pass,
)
from attnscope.models.perturbation.variants import Variant, overwriting, variants_of
from attnscope.models.targets.readout import Readout, entries_of
from attnscope.models.targets.target import Objective

# What replaces a removed token: nothing, or in its place a token, a neutral word, the model's own guess, an embedding.
REPLACEMENTS = ("delete", "mask", "pad", "neutral", "infill", "zero", "mean")


def default_replacement(model: Model) -> str:
    """The mask token where there is one, else the mean embedding."""
    return "mean" if model.tokenizer.mask_token_id is None else "mask"


def values_without_tokens(
    model: Model, objective: Objective, removed: Sequence[frozenset[int]], replacement: str
) -> Tensor:
    """The target's values without the tokens of each set: (set, target), float64.

    What a causal model reads before the first removed token does not change by a bit.

    replacement: "delete" leaves the tokens out: entries about them go too (the loss of a text is that of what is left),
        and where nothing is left before the target, the model's start token stands in. The others overwrite the tokens
        and leave every entry in place; "infill" with what a masked language model finds likeliest there.

    Raises InputError for another replacement, for a token that the target is about, and where nothing is left to
    predict.
    """
    return TextWithout(model, objective, replacement).values(removed)


class TextWithout:
    """A target on one text, and its values without some of the tokens, asked as often as one likes: the whole text runs
    once for all of them. Options and errors are those of `values_without_tokens`."""

    def __init__(self, model: Model, objective: Objective, replacement: str) -> None:
        if replacement not in REPLACEMENTS:
            raise InputError(
                f"there is no replacement {replacement!r} for words: choose from {', '.join(REPLACEMENTS)}"
            )
        self.model, self.objective, self.replacement = model, objective, replacement
        self._passes = [_Pass(model.model, readout) for readout in objective.readouts]

    def values(self, removed: Sequence[frozenset[int]]) -> Tensor:
        """(set, target)"""
        if any(tokens & set(self.objective.fixed) for tokens in removed):
            raise InputError("the target is about a token that was to be removed: remove another")
        vector = baseline_vector(self.model, self.replacement) if self.replacement in ("zero", "mean") else None
        total: Tensor | None = None
        for one in self._passes:
            variants = variants_of(self.model, one.base, removed, self.replacement)
            values = torch.stack(one.values(variants, vector))
            total = values if total is None else total + values
        assert total is not None
        return total


class _Pass:
    """One readout; its entries on the unchanged text, and its keys and values, once they are known."""

    def __init__(self, net: PreTrainedModel, base: Readout) -> None:
        self.net, self.base = net, base
        self.causal = task_of(net) == "causal" and not base.of_whole
        self._whole: WholePass | None = None
        self._before: Tensor | None = None

    def values(self, variants: Sequence[Variant], vector: Tensor | None) -> list[Tensor]:
        """The value (target,) of each variant."""
        base = self.base
        with unchanged(self.net), torch.no_grad():
            before, after = self._entries(variants, vector)
        values = []
        for variant, entries in zip(variants, after, strict=True):
            # Entries that read nothing of the change are those of the unchanged text, to the last bit; so are those
            # about a removed token itself, of which a per-token target has one: removing it says nothing about it.
            merged = entries.clone()
            for i, entry in enumerate(variant.entries):
                if self.causal and base.positions[entry] < variant.first:
                    merged[i] = before[entry]
            if base.per_token:
                full = before.clone()
                full[list(variant.entries)] = merged
                values.append(base.value(full))
            else:
                values.append(variant.readout.value(merged))
        return [value.double().cpu() for value in values]

    def _entries(self, variants: Sequence[Variant], vector: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        """The entries (entry,) of the unchanged readout, and those of each variant."""
        net, base = self.net, self.base
        if self._whole is not None or (self.causal and reuses_prefix(net, base)):
            self._whole = self._whole or whole_pass(net, base)
            return self._whole.entries, entries_after_prefix(net, base, self._whole, variants, vector)
        new = (
            []
            if self._before is not None
            else [Variant(base, tuple(range(len(base.ids))), len(base.inputs["input_ids"]))]
        )
        every = [*new, *variants]
        entries = entries_of(net, [v.readout for v in every], change=overwriting(every, vector))
        self._before = entries.pop(0) if self._before is None else self._before
        return self._before, entries
