"""Gradients at points between a baseline and a text, many points in one batch."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.models.embeddings import readout_embeddings
from attnscope.models.gradients.input_gradients import gradients
from attnscope.models.targets.readout import EmbeddingChange, Readout, values
from attnscope.models.targets.target import Objective


@dataclass(frozen=True)
class Path:
    """A straight path in the embeddings of one readout, from a baseline to the text.

    embeddings: the text's, (token, hidden), float64, of all tokens of the readout.
    moving:     of each token whether it moves: among the positions that may, scored and not special.
    baseline:   where a moving token starts, (hidden,).
    """

    net: PreTrainedModel
    objective: Objective
    readout: Readout
    embeddings: Tensor
    moving: Tensor
    baseline: Tensor

    @property
    def difference(self) -> Tensor:
        """From the baseline to the text, on the scored tokens: (token, hidden)."""
        return self.objective.on_tokens(self._whole[None])[0]

    def values(self, alphas: Sequence[float]) -> Tensor:
        """(point, target): the target's values at these points, 0 the baseline and 1 the text."""
        return torch.stack(values(self.net, [self.readout] * len(alphas), change=_to_points(self._between(alphas))))

    def gradients(self, alphas: Sequence[float]) -> Iterator[tuple[int, Tensor]]:
        """The index of each point and the gradient there, (target, scored token, hidden), float64, as they come."""
        return self.gradients_at(len(alphas), self._between(alphas))

    def gradients_at(self, count: int, point: Callable[[int], Tensor]) -> Iterator[tuple[int, Tensor]]:
        """The same at `count` points that `point` gives, each (token, hidden) of all tokens of the readout."""
        for index, gradient in gradients(self.net, [self.readout] * count, change=_to_points(point)):
            yield index, self.objective.on_tokens(gradient.vectors.double())

    @property
    def _whole(self) -> Tensor:
        """From the baseline to the text, (token, hidden)."""
        return (self.embeddings - self.baseline) * self.moving[:, None]

    def _between(self, alphas: Sequence[float]) -> Callable[[int], Tensor]:
        whole = self._whole
        return lambda index: self.embeddings - (1 - alphas[index]) * whole


def _to_points(point: Callable[[int], Tensor]) -> EmbeddingChange:
    return lambda embeddings, members: torch.stack([point(i) for i in members]).to(embeddings)


def path_of(
    net: PreTrainedModel,
    objective: Objective,
    index: int,
    baseline: Tensor,
    positions: Collection[int] | None = None,
) -> Path:
    """The path of one of the objective's readouts, by its index, from `baseline`, (hidden,), to the text.

    positions: the tokens that may move; None: all that are scored. Special ones stay in any case.
    """
    readout = objective.readouts[index]
    count = len(readout.inputs["input_ids"])
    tokens = objective.encoded.tokens
    may_move = range(objective.scored) if positions is None else positions
    moving = [i < objective.scored and i in may_move and not tokens[i].special for i in range(count)]
    return Path(net, objective, readout, readout_embeddings(net, readout), torch.tensor(moving), baseline)
