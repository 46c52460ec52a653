"""Several answers to one text, and how likely each is: the labels of a classifier, or what a language model may write.

Problems solved here:
- answers that one pass can give (labels of one text, continuations of one token each) cost one pass;
- a language model gives the answers only little of its probability: they are compared among themselves;
- the labels of a multi-label classifier are independent: each has its own probability, and they add up to nothing;
- the same text is asked hundreds of times with words removed, or with its embeddings changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from attnscope.errors import InputError, ModelError
from attnscope.models.architecture import task_of
from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model
from attnscope.models.perturbation.without_tokens import values_without_tokens
from attnscope.models.targets.labels import label_names
from attnscope.models.targets.lm_head import is_multi_label
from attnscope.models.targets.readout import EmbeddingChange, Readout, values
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.similar import pooling_of
from attnscope.models.targets.target import Objective, Target


@dataclass(frozen=True)
class Choices:
    """Labels on one text.

    labels:     in the order asked for.
    passes:     what the model reads; labels that share a pass are entries of it.
    slots:      of each label, its pass and its entries among that pass's values.
    alike:      the one "label" is a text that this one is compared with, and its value is their cosine similarity, no
                log-probability.
    """

    model: Model
    labels: tuple[str | int, ...]
    passes: tuple[Objective, ...]
    slots: tuple[tuple[int, slice], ...]
    alike: bool = False

    @property
    def encoded(self) -> Encoded:
        """The text."""
        return self.passes[0].encoded

    @property
    def fixed(self) -> frozenset[int]:
        """Tokens that cannot be removed."""
        return frozenset(token for objective in self.passes for token in objective.fixed)

    def without(self, removed: Sequence[frozenset[int]], replacement: str) -> Tensor:
        """Log-probabilities (set, label) on the text without the tokens of each set.

        replacement: as in `values_without_tokens`.
        """
        return self.gathered([values_without_tokens(self.model, o, removed, replacement) for o in self.passes])

    def changed(self, times: int, change: EmbeddingChange) -> Tensor:
        """Log-probabilities (time, label), with the embeddings changed each time; `change` gets the times' indices."""
        by_pass = []
        for objective in self.passes:
            (readout,) = objective.readouts
            by_pass.append(torch.stack(values(self.model.model, [readout] * times, change=change)))
        return self.gathered(by_pass)

    def gathered(self, by_pass: Sequence[Tensor]) -> Tensor:
        """The values (…, entry) of each pass -> (…, label)."""
        return torch.stack([by_pass[index][:, entries].sum(1) for index, entries in self.slots], 1)


def log_probabilities(texts: Sequence[Choices]) -> Tensor:
    """Log-probabilities (text, label) of several texts with the same labels, side by side in batches."""
    readouts = [
        (text, index, objective.readouts[0])
        for text, asked in enumerate(texts)
        for index, objective in enumerate(asked.passes)
    ]
    rows = values(texts[0].model.model, [readout for *_, readout in readouts])
    by_pass = {(text, index): row[None] for (text, index, _), row in zip(readouts, rows, strict=True)}
    return torch.cat(
        [asked.gathered([by_pass[text, i] for i in range(len(asked.passes))]) for text, asked in enumerate(texts)]
    )


def probabilities(texts: Sequence[Choices]) -> Tensor:
    """Probabilities (text, label): shares among the labels; of a multi-label classifier each by itself."""
    rows = log_probabilities(texts)
    return rows.exp() if is_multi_label(texts[0].model.model) else rows.softmax(1)


def choices(model: Model, encoded: Encoded, labels: Sequence[str | int], position: int | str | None = None) -> Choices:
    """The labels on this text. Raises what `resolve` raises, and InputError for no label or the same one twice."""
    if not labels or len(set(labels)) < len(labels):
        raise InputError(f"labels={list(labels)!r}: give one or more, each once")
    passes: list[Objective] = []
    slots = []
    asked: dict[Any, str | int] = {}
    for label in labels:
        objective = resolve(model, encoded, Target(target=label, position=position, quantity="log_probability"))
        (readout,) = objective.readouts
        if (same := asked.setdefault(_asked(readout), label)) != label:
            raise InputError(f"the labels {same!r} and {label!r} are one to this model: give each once")
        if readout.highest:
            slots.append((len(passes), slice(0, 1)))
            passes.append(objective)
            continue
        index = next((i for i, earlier in enumerate(passes) if _one_pass(earlier.readouts[0], readout)), None)
        if index is None:
            slots.append((len(passes), slice(0, len(readout.ids))))
            passes.append(replace(objective, readouts=(replace(readout, per_token=True),)))
            continue
        (earlier_readout,) = passes[index].readouts
        count = len(earlier_readout.ids)
        slots.append((index, slice(count, count + len(readout.ids))))
        passes[index] = replace(passes[index], readouts=(earlier_readout.joined(readout),))
    return Choices(model, tuple(labels), tuple(passes), tuple(slots))


def likeness(model: Model, encoded: Encoded, other: str) -> Choices:
    """The similarity to another text, in place of a label. Raises what `resolve` raises, ModelError for a similarity
    that is no cosine: only that has ends, between which it can be judged how much is left."""
    objective = resolve(model, encoded, Target(similar_to=other))
    if pooling_of(model).similarity != "cosine":
        what = objective.quantity
        raise ModelError(f"this model compares texts by {what}, which has no ends: an evaluation needs the cosine")
    return Choices(model, (other,), (objective,), ((0, slice(0, 1)),), alike=True)


def all_labels(model: Model) -> tuple[int, ...]:
    """The labels of a classifier. Raises InputError for a model that has none of its own."""
    if task_of(model.model) not in ("classifier", "token classifier"):
        raise InputError(
            f"{type(model.model).__name__} has no labels of its own: give labels, such as [' positive', ' negative']"
        )
    return tuple(sorted(label_names(model.model)))


def _asked(readout: Readout) -> Any:
    """What two readouts have in common that read the same."""
    inputs = tuple((name, tuple(values)) for name, values in readout.inputs.items())
    return inputs, readout.decoder, readout.positions, readout.ids


def _one_pass(readout: Readout, other: Readout) -> bool:
    return not readout.highest and readout.inputs == other.inputs and readout.decoder == other.decoder
