"""Gradients at points between a baseline and a text, many points in one batch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.models.embeddings import at_embeddings
from attnscope.models.gradients.input_gradients import gradients
from attnscope.models.targets.readout import Change, Reading, values
from attnscope.models.targets.target import Objective


@dataclass(frozen=True)
class Path:
    """One reading of an objective, and the two ends of a path in its embeddings.

    here:  the text's embeddings, (token, hidden), float64, of all tokens of the reading.
    moves: of each token whether it moves: scored and not special.
    base:  what a moving token starts from, (hidden,).
    """

    net: PreTrainedModel
    objective: Objective
    reading: Reading
    here: Tensor
    moves: Tensor
    base: Tensor

    @property
    def difference(self) -> Tensor:
        """From the baseline to the text, on the scored tokens: (token, hidden)."""
        found = (self.here - self.base) * self.moves[:, None]
        return self.objective.on_tokens(found[None])[0]

    def values(self, alphas: Sequence[float]) -> Tensor:
        """(point, target): the target's values at these points, 0 the baseline and 1 the text."""
        return torch.stack(values(self.net, [self.reading] * len(alphas), at=self._at(self._between(alphas))))

    def gradients(self, alphas: Sequence[float]) -> Iterator[tuple[int, Tensor]]:
        """The index of each point and the gradient there, (target, scored token, hidden), float64, as they come."""
        return self.gradients_at(len(alphas), self._between(alphas))

    def gradients_at(self, count: int, point: Callable[[int], Tensor]) -> Iterator[tuple[int, Tensor]]:
        """The same at `count` points that `point` gives, each (token, hidden) of all tokens of the reading."""
        for index, found in gradients(self.net, [self.reading] * count, at=self._at(point)):
            yield index, self.objective.on_tokens(found.vectors.double())

    def _between(self, alphas: Sequence[float]) -> Callable[[int], Tensor]:
        step = (self.here - self.base) * self.moves[:, None]
        return lambda index: self.here - (1 - alphas[index]) * step

    def _at(self, point: Callable[[int], Tensor]) -> Change:
        return lambda embeddings, members: torch.stack([point(i) for i in members]).to(embeddings)


def path_of(net: PreTrainedModel, objective: Objective, reading: int, base: Tensor) -> Path:
    """The path of one of the objective's readings from `base`, (hidden,), to the text."""
    read = objective.readings[reading]
    count = len(read.inputs["input_ids"])
    moves = [i < objective.scored and not objective.encoded.tokens[i].special for i in range(count)]
    return Path(net, objective, read, at_embeddings(net, read), torch.tensor(moves), base)
