"""What several tasks of one call need from the model alike: computed for all of them when the first one needs it."""

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
from attnscope.models.linear_attention.call import LinearCall
from attnscope.models.linear_attention.capture import capture_linear
from attnscope.models.loading.load import Model
from attnscope.models.targets.target import Objective

Rules = Callable[[], AbstractContextManager[Any]]
# How many tokens' gradients are held at a time: enough for full batches, and little next to a model.
HELD_TOKENS = 16_384


class SharedGradients:
    """The gradients of some objectives at their embeddings: texts of similar length share a pass.

    They are computed for a window of neighbouring tasks at a time, and each is handed out once, so that memory does not
    grow with the number of texts.
    """

    def __init__(self, model: Model, objectives: Sequence[Objective]) -> None:
        self.model, self.objectives = model, objectives
        self.ready: dict[int, tuple[Tensor, Tensor]] = {}

    def of(self, place: int, rules: Rules = nullcontext) -> tuple[Tensor, Tensor]:
        """The values (target,) of one objective and its gradients (target, token, hidden), float64.

        rules: a context for the passes that have not run yet, such as changed rules of the backward pass.
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
        computed: dict[int, tuple[Tensor, Tensor]] = {}
        for index, gradient in gradients(self.model.model, [readout for _, readout in passes]):
            place = passes[index][0]
            vectors = self.objectives[place].on_tokens(gradient.vectors.double())
            values, sums = computed.get(place, (0, 0))
            computed[place] = values + gradient.values, sums + vectors
        self.ready |= computed


class SharedAttention:
    """The attention of a batch of texts.

    weights: (text, query, token), the weight of each token's row in each query.
    """

    def __init__(self, batch: QueryKeyBatch, weights: Tensor) -> None:
        self.batch, self.weights = batch, weights
        self._rows: dict[tuple[int, ...], list[Tensor]] = {}
        self._linear_rows: dict[int, tuple[Tensor, float]] = {}
        self._reduced: dict[tuple[tuple[int, ...], str], list[HeadReduction]] = {}

    def rows(self, layers: tuple[int, ...]) -> list[Tensor]:
        """The queries' rows in each layer, (text, query, head, key)."""
        if layers not in self._rows:
            rows: dict[int, Tensor] = {}

            def see(layer: int, call: AttentionCall) -> None:
                rows[layer] = mix(call, self.weights)

            capture(self.batch.model.model, self.batch.inputs, layers, see, self.batch.stack)
            self._rows[layers] = [rows[layer] for layer in layers]
        return self._rows[layers]

    def linear_rows(self, layer: int) -> tuple[Tensor, float]:
        """The queries' rows in a layer of linear attention, (text, query, head, key), signed; how far they miss it.

        That is: what M · v misses of the layer's output, as a share of it.
        """
        if layer not in self._linear_rows:

            def see(_layer: int, call: LinearCall) -> None:
                self._linear_rows[layer] = mix(call, self.weights), call.missed

            capture_linear(self.batch.model.model, self.batch.inputs, [layer], see)
        return self._linear_rows[layer]

    def reduced(self, layers: tuple[int, ...], over: str) -> list[HeadReduction]:
        """Each layer's attention with its heads reduced by `over`: "mean", "max" or "min"."""
        if (layers, over) not in self._reduced:
            reductions: dict[int, HeadReduction] = {}

            def see(layer: int, call: AttentionCall) -> None:
                reductions[layer] = HeadReduction(call, over)

            capture(self.batch.model.model, self.batch.inputs, layers, see, self.batch.stack)
            self._reduced[layers, over] = [reductions[layer] for layer in layers]
        return self._reduced[layers, over]


def query_weights(places: Sequence[Sequence[Sequence[int]]], tokens: int) -> Tensor:
    """The positions of each text's queries -> (text, query, token): 1 / n at a query's n tokens."""
    weights = torch.zeros(len(places), len(places[0]), tokens)
    for rows, queries in zip(weights, places, strict=True):
        for row, positions in zip(rows, queries, strict=True):
            row[list(positions)] = 1 / len(positions)
    return weights
