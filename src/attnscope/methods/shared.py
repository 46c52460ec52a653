"""What several tasks of one call ask of the model alike, computed for all of them together when the first one asks."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from attnscope.models.attention.capture import capture, mix
from attnscope.models.attention.head_reduction import HeadReduction
from attnscope.models.attention.interface import AttentionCall
from attnscope.models.attention.query_key_batch import QueryKeyBatch
from attnscope.models.gradients.input_gradients import gradients
from attnscope.models.loading.load import Model
from attnscope.models.targets.target import Objective

Rules = Callable[[], AbstractContextManager[Any]]
# Tokens of the tasks whose gradients are held at one time: enough for full batches, little beside a model.
HELD_TOKENS = 16_384


class SharedGradients:
    """The gradients of some objectives at their embeddings: texts of similar length share a pass.

    They are computed a window of neighbours at a time, and each is given away once, so that memory does not grow with
    the number of texts.
    """

    def __init__(self, model: Model, objectives: Sequence[Objective]) -> None:
        self.model, self.objectives = model, objectives
        self.ready: dict[int, tuple[Tensor, Tensor]] = {}

    def of(self, place: int, rules: Rules = nullcontext) -> tuple[Tensor, Tensor]:
        """The values (target,) of one objective and its gradients (target, token, hidden), float64.

        rules: a context in which passes that are still to be made run, such as changed rules of the backward pass.
        """
        if place not in self.ready:
            with rules():
                self._compute(self._window(place))
        return self.ready.pop(place)

    def _window(self, first: int) -> list[int]:
        window, tokens = [first], self.objectives[first].scored
        for place in range(first + 1, len(self.objectives)):
            tokens += self.objectives[place].scored
            if tokens > HELD_TOKENS:
                break
            window.append(place)
        return window

    def _compute(self, window: Sequence[int]) -> None:
        passes = [(place, readout) for place in window for readout in self.objectives[place].readouts]
        for index, gradient in gradients(self.model.model, [readout for _, readout in passes]):
            place = passes[index][0]
            vectors = self.objectives[place].on_tokens(gradient.vectors.double())
            if place in self.ready:
                values, sums = self.ready[place]
                self.ready[place] = values + gradient.values, sums + vectors
            else:
                self.ready[place] = gradient.values, vectors


class SharedAttention:
    """The attention of a batch of texts.

    weights: (text, query, token): of each query, the weight of each token's row.
    """

    def __init__(self, batch: QueryKeyBatch, weights: Tensor) -> None:
        self.batch, self.weights = batch, weights
        self._rows: dict[tuple[int, ...], list[Tensor]] = {}
        self._reduced: dict[tuple[tuple[int, ...], str], list[HeadReduction]] = {}

    def rows(self, layers: tuple[int, ...]) -> list[Tensor]:
        """Of each layer (text, query, head, key): the queries' rows."""
        if layers not in self._rows:
            rows: dict[int, Tensor] = {}

            def see(layer: int, call: AttentionCall) -> None:
                rows[layer] = mix(call, self.weights)

            capture(self.batch.model.model, self.batch.inputs, layers, see, self.batch.stack)
            self._rows[layers] = [rows[layer] for layer in layers]
        return self._rows[layers]

    def reduced(self, layers: tuple[int, ...], over: str) -> list[HeadReduction]:
        """Each layer's attention, heads put log_probabilities."""
        if (layers, over) not in self._reduced:
            kept: dict[int, HeadReduction] = {}

            def see(layer: int, call: AttentionCall) -> None:
                kept[layer] = HeadReduction(call, over)

            capture(self.batch.model.model, self.batch.inputs, layers, see, self.batch.stack)
            self._reduced[layers, over] = [kept[layer] for layer in layers]
        return self._reduced[layers, over]


def query_weights(places: Sequence[Sequence[Sequence[int]]], tokens: int) -> Tensor:
    """Of each text, of each query the tokens -> (text, query, token): 1 / n at its n tokens."""
    weights = torch.zeros(len(places), len(places[0]), tokens)
    for of_text, queries in zip(weights, places, strict=True):
        for row, positions in zip(of_text, queries, strict=True):
            row[list(positions)] = 1 / len(positions)
    return weights
