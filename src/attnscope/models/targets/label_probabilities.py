"""Several answers to one text, and how likely each is: the labels of a classifier, or what a language model may write.

Problems solved here:
- answers that one pass can tell (labels of one text, continuations of one token each) cost one pass;
- a language model gives answers only little of its probability: they share what they have among themselves;
- the same text is asked again with words taken away, by the hundred, or with its embeddings changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from attnscope.errors import InputError
from attnscope.models.architecture import task_of
from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model
from attnscope.models.perturbation.without_tokens import without
from attnscope.models.targets.readout import Change, Reading, values
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Objective, Target


@dataclass(frozen=True)
class Choices:
    """Labels on one text.

    labels:     in the order asked for.
    passes:     what the model reads; labels that share a pass are entries of it.
    slots:      of each label, its pass and its entries among that pass's values.
    """

    model: Model
    labels: tuple[str | int, ...]
    passes: tuple[Objective, ...]
    slots: tuple[tuple[int, slice], ...]

    @property
    def encoded(self) -> Encoded:
        """The text."""
        return self.passes[0].encoded

    @property
    def fixed(self) -> frozenset[int]:
        """Tokens that cannot be taken away."""
        return frozenset(token for one in self.passes for token in one.fixed)

    def without(self, taken: Sequence[frozenset[int]], way: str) -> Tensor:
        """Log-probabilities (set, label) on the text without the tokens of each set; `way` as in `perturb.without`."""
        return self.gathered([without(self.model, one, taken, way) for one in self.passes])

    def changed(self, times: int, change: Change) -> Tensor:
        """Log-probabilities (time, label) with embeddings changed; `change` gets the numbers of the times."""
        found = []
        for one in self.passes:
            (reading,) = one.readings
            found.append(torch.stack(values(self.model.model, [reading] * times, at=change)))
        return self.gathered(found)

    def gathered(self, found: Sequence[Tensor]) -> Tensor:
        """The values (…, entry) of each pass -> (…, label)."""
        return torch.stack([found[number][:, entries].sum(1) for number, entries in self.slots], 1)


def together(asked: Sequence[Choices]) -> Tensor:
    """Log-probabilities (text, label) of several texts with the same labels, side by side in batches."""
    readings = [(i, number, one.readings[0]) for i, c in enumerate(asked) for number, one in enumerate(c.passes)]
    rows = values(asked[0].model.model, [reading for *_, reading in readings])
    found = {(i, number): row[None] for (i, number, _), row in zip(readings, rows, strict=True)}
    return torch.cat([c.gathered([found[i, n] for n in range(len(c.passes))]) for i, c in enumerate(asked)])


def choices(model: Model, encoded: Encoded, labels: Sequence[str | int], position: int | str | None = None) -> Choices:
    """The labels on this text. Raises what `resolve` raises, and InputError for none or for one that comes twice."""
    if not labels or len(set(labels)) < len(labels):
        raise InputError(f"labels={list(labels)!r}: give one or more, each once")
    passes: list[Objective] = []
    slots = []
    for label in labels:
        asked = Target(target=label, position=position, quantity="log_probability")
        objective = resolve(model, encoded, asked)
        (reading,) = objective.readings
        if reading.highest:
            slots.append((len(passes), slice(0, 1)))
            passes.append(objective)
            continue
        same = next((i for i, one in enumerate(passes) if _one_pass(one.readings[0], reading)), None)
        if same is None:
            slots.append((len(passes), slice(0, len(reading.ids))))
            passes.append(replace(objective, readings=(replace(reading, per_token=True),)))
            continue
        (before,) = passes[same].readings
        slots.append((same, slice(len(before.ids), len(before.ids) + len(reading.ids))))
        both = replace(
            before,
            positions=before.positions + reading.positions,
            ids=before.ids + reading.ids,
            signs=before.signs + reading.signs,
        )
        passes[same] = replace(passes[same], readings=(both,))
    return Choices(model, tuple(labels), tuple(passes), tuple(slots))


def all_labels(model: Model) -> tuple[int, ...]:
    """The labels of a classifier. Raises InputError for a model that has none of its own."""
    if task_of(model.model) not in ("classifier", "token classifier"):
        raise InputError(
            f"{type(model.model).__name__} has no labels of its own: give labels, such as [' positive', ' negative']"
        )
    return tuple(sorted(int(i) for i in model.model.config.id2label))


def _one_pass(one: Reading, other: Reading) -> bool:
    return not one.highest and one.inputs == other.inputs and one.decoder == other.decoder
