"""The contract of a method: `def name(task, *, own options) -> Scores`.

A Task is one input together with the request, ready to run; through it a method gets everything it needs from the
model. The runner loops over inputs, pools scores into words, records provenance and builds the result. What several
tasks of one call need alike (a gradient, rows of attention) is computed for all of them when the first needs it.

    def surprise(task):                       # a method of your own: ats.explain(model, text, method=surprise)
        values, vectors = task.gradient()     # (target,), (target, token, hidden)
        return Scores(tokens=vectors.norm(dim=-1), values=values)
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from attnscope.errors import InputError, NonFiniteError, RangeError
from attnscope.methods.attention.layers import attending_layer, coverage, layout_beside, linear_layer, linear_of
from attnscope.methods.request import Query, Request, in_range
from attnscope.methods.shared import Rules, SharedAttention, SharedGradients
from attnscope.methods.units import Units, Words, words_in
from attnscope.models.architecture import configured
from attnscope.models.attention.capture import capture
from attnscope.models.attention.head_reduction import HeadReduction
from attnscope.models.attention.interface import AttentionCall
from attnscope.models.attention.layout import attention_layout
from attnscope.models.attention.output_projection import gate_of, output_projections, per_head
from attnscope.models.embeddings import baseline_vector, default_baseline, embedded
from attnscope.models.gradients.path import Path, path_of
from attnscope.models.inputs.encode import Encoded
from attnscope.models.linear_attention.call import LinearCall
from attnscope.models.linear_attention.capture import capture_linear
from attnscope.models.loading.load import Model
from attnscope.models.model_facts import AttentionLayout, LinearLayer
from attnscope.models.perturbation.without_tokens import default_replacement, values_without_tokens
from attnscope.models.targets.readout import values
from attnscope.models.targets.target import Objective
from attnscope.results.base import Measured


@dataclass(frozen=True)
class Scores:
    """What a method returns for one task.

    tokens:   (target, token), for an attention method (query, token); or one row (token,). None: each token gets an
              equal share of its unit's score.
    units:    (target, unit) or (unit,). None: a unit is the sum of its tokens.
    values:   the target's values on the text, (target,); empty where the method does not need them.
    signed:   whether 0 is the middle; None: as in the method's row of METHODS.
    options:  options whose value was settled during the run: an index counted from the end, a default of the model's.
    measured: what was measured beside the scores: an error, a share of variance.
    target, quantity: what was explained, in words, where only the method knows.

    >>> def length(task):
    ...     return ats.Scores(units=[span.end - span.start for span in task.units.spans])
    >>> ats.explain(model, "A black cat", method=length).scores
    array([1., 5., 3.])
    """

    tokens: NDArray[Any] | Tensor | None = None
    units: NDArray[Any] | Tensor | None = None
    values: Sequence[float] | NDArray[Any] | Tensor = ()
    signed: bool | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    measured: Measured = field(default_factory=Measured)
    target: str | None = None
    quantity: str | None = None

    def __post_init__(self) -> None:
        if self.tokens is None and self.units is None:
            raise InputError("a method returned Scores without scores: give tokens, units, or both")


@dataclass(frozen=True, eq=False)
class Task:
    """One input with its request, and everything a method may use of the model.

    method:    the method's name, for messages.
    encoded:   the text whose tokens are scored.
    units:     the pieces of the text that get a score.
    request:   the caller's request.
    objective: what is explained; None where the method reads attention from a query.
    asked, queries: for an attention method, each query as the caller gave it, and the positions of its tokens: the
               query's row is the mean of theirs.

    >>> def surprise(task):  # a method of one's own
    ...     values, gradients = task.gradient()  # (target,), (target, token, hidden)
    ...     return ats.Scores(tokens=gradients.norm(dim=-1), values=values)
    >>> ats.explain(model, "The film is great. I am", method=surprise, target=" happy").method
    'surprise'
    """

    model: Model
    method: str
    encoded: Encoded
    units: Units
    request: Request
    objective: Objective | None = None
    asked: tuple[Query, ...] = ()
    queries: tuple[tuple[int, ...], ...] = ()
    shared_gradients: SharedGradients | None = None
    shared_attention: SharedAttention | None = None
    place: int = 0

    @cached_property
    def words(self) -> Words:
        """What the result scores: the units, with words that a token joins taken apart again."""
        return words_in(self.encoded, self.units)

    # What is explained

    @property
    def target(self) -> Objective:
        """The objective. Raises InputError where there is none."""
        if self.objective is None:
            raise InputError("the method explains a target, and none was asked for")
        return self.objective

    @property
    def per_token(self) -> bool:
        """Whether each token of the target is explained separately."""
        return self.objective is not None and bool(self.objective.about)

    def values(self) -> NDArray[np.float64]:
        """(target,) The target's values on the text: one forward pass."""
        by_pass = values(self.model.model, self.target.readouts)
        return np.asarray(sum(value.numpy() for value in by_pass), dtype=np.float64)

    # Gradients

    def gradient(self, rules: Rules = nullcontext) -> tuple[Tensor, Tensor]:
        """The target's values (target,), and their gradients at the embeddings (target, token, hidden), float64.

        rules: a context in which the passes run, such as changed rules of the backward pass.
        """
        assert self.shared_gradients is not None, "the runner gives every task with a target its gradients"
        return self.shared_gradients.of(self.place, rules)

    def embeddings(self) -> Tensor:
        """(token, hidden) The output of the embedding layer for the scored tokens, float64."""
        return embedded(self.model.model, self.target)

    def baseline(self, name: str) -> Tensor:
        """(hidden,) The embedding of "nothing": "zero", "mean", "mask", "pad", or a token's, as in "token: the"."""
        return baseline_vector(self.model, name)

    def default_baseline(self) -> str:
        """The mask token where the tokenizer has one, else zeros."""
        return default_baseline(self.model)

    def paths(self, baseline: Tensor) -> list[Path]:
        """The paths from a baseline (hidden,) to the text, one for each pass that the target takes.

        Where `within` or `segments` chose the units, only their tokens move; the rest of the text stays.
        """
        net, objective, positions = self.model.model, self.target, self.units.chosen_tokens
        return [path_of(net, objective, i, baseline, positions) for i in range(len(objective.readouts))]

    # Removing words

    @property
    def removable(self) -> list[int]:
        """The units that can be removed: all but those that the target is read from. Raises InputError if none can.

        A masked word stays, and so does the token whose label is explained: without it there is nothing to explain.
        """
        fixed = set(self.target.fixed)
        removable = [i for i, span in enumerate(self.units.spans) if not fixed & set(span.tokens)]
        if not removable:
            raise InputError(
                "the target stands on every unit of the text, so none can be taken away: choose smaller units"
            )
        return removable

    def replacement(self, asked: str | None) -> str:
        """What replaces removed words: as asked, else the mask token if the model has one, else the mean embedding."""
        return default_replacement(self.model) if asked is None else asked

    def values_without(self, removed: Sequence[frozenset[int]], replacement: str) -> NDArray[np.float64]:
        """(set, target) The target's values without the units of each set. A set that is given twice runs once."""
        distinct = list(dict.fromkeys(removed))
        place = {units: i for i, units in enumerate(distinct)}
        spans = self.units.spans
        tokens = [frozenset(token for unit in units for token in spans[unit].tokens) for units in distinct]
        by_set: NDArray[np.float64] = values_without_tokens(self.model, self.target, tokens, replacement).numpy()
        self.check_possible(by_set)
        return by_set[[place[units] for units in removed]]

    def check_possible(self, of_target: NDArray[np.float64]) -> None:
        """Raises NonFiniteError where the model rules the target out: what has no finite value cannot be shared out."""
        if np.isinf(of_target).any():
            what = self.target.explained
            raise NonFiniteError(
                f"the {what} is {of_target[np.isinf(of_target)][0]}: the model rules a token of it "
                "out (suppressed, or without any probability), so no word can be scored for it; choose another target"
            )

    # Attention

    @property
    def attention(self) -> SharedAttention:
        """The attention of the batch that this text is in. Raises InputError for a task without a query."""
        if self.shared_attention is None:
            raise InputError("the method looks at attention, and the task has no query: its family is not attention's")
        return self.shared_attention

    @property
    def stack(self) -> str:
        """Which attention: "self", or in an encoder–decoder "encoder", "decoder" or "cross"."""
        return self.attention.batch.stack

    @property
    def layout(self) -> AttentionLayout:
        """Where the model's attention is."""
        batch = self.attention.batch
        return attention_layout(batch.model.model, batch.inputs, batch.stack)

    @property
    def heads(self) -> dict[int, int]:
        """Of each layer of the stack that has attention weights, by its number in the model, how many heads."""
        return self.layout.heads_of(self.stack)

    @property
    def linear(self) -> dict[int, LinearLayer]:
        """The model's layers of linear attention, by their numbers."""
        batch = self.attention.batch
        return linear_of(batch.model, batch.inputs, batch.stack)

    def linear_layer(self, index: object, linear: bool | None) -> int | None:
        """The layer whose linear attention is meant, from 0 on; None where its attention weights are.

        linear: True, False, or None: attention weights where the layer has them (-1: where the model has them).
        """
        if linear is False or (linear is None and not self.linear):
            return None
        batch = self.attention.batch
        count = configured(self.model.model, "num_hidden_layers") or 0
        if linear is None:
            layout = layout_beside(batch.model, batch.inputs, batch.stack, self.linear)
            heads = {} if layout is None else layout.heads_of(batch.stack)
            if heads and (index == -1 or in_range("layer", index, count, '"mean"') not in self.linear):
                return None
            if heads and in_range("layer", index, count) in heads:
                return None
        return linear_layer(self.model, self.linear, count, index)

    def linear_rows(self, layer: int) -> tuple[Tensor, float]:
        """The queries' rows of a layer of linear attention, (query, head, key), signed.

        And how far its matrix misses the layer's output, as a share of it.
        """
        rows, missed = self.attention.linear_rows(layer)
        return rows[self.place, ..., : self._keys], missed

    def query_weights(self) -> Tensor:
        """(query, token) The weight of each token's row in each query: 1 / n at the query's n tokens."""
        return self.attention.weights[self.place, :, : len(self.attention.batch.queries[self.place].tokens)]

    def attention_rows(self, layers: Sequence[int]) -> list[Tensor]:
        """The queries' rows in each layer, (query, head, key), from one pass for the whole batch."""
        return [rows[self.place, ..., : self._keys] for rows in self.attention.rows(tuple(layers))]

    def reduced_attention(self, layers: Sequence[int], over: str) -> list[HeadReduction]:
        """Each layer's attention with its heads reduced by "mean", "max" or "min", for chains over layers.

        Only a layer's queries and keys are kept, O(token · hidden), never its matrix.
        """
        return [layer.of_text(self.place, self._keys) for layer in self.attention.reduced(tuple(layers), over)]

    def capture(self, layers: Sequence[int], see: Callable[[int, AttentionCall], None]) -> None:
        """Run this text alone and pass each layer's attention, from the bottom up, to `see(layer, call)`."""
        batch = self.attention.batch
        capture(batch.model.model, self.inputs, layers, see, batch.stack)

    @property
    def inputs(self) -> dict[str, Tensor]:
        """The model's inputs for this text alone, (1, token), without the batch's padding."""
        batch = self.attention.batch
        if len(batch.members) == 1:
            return batch.inputs
        return {name: tensor[self.place : self.place + 1, : self._keys] for name, tensor in batch.inputs.items()}

    @property
    def _keys(self) -> int:
        """How many tokens are attended to."""
        return len(self.attention.batch.keys[self.place].tokens)

    def projection(self, layer: int) -> Tensor:
        """(head, head hidden, hidden) How the layer writes each head's output to the residual stream."""
        batch = self.attention.batch
        net = batch.model.model
        return per_head(net, output_projections(net, batch.inputs, batch.stack)[layer], self.heads[layer])

    def gate(self, layer: int) -> Tensor | None:
        """(query, head, head hidden) What the layer multiplies its heads' outputs by before it projects them, if so."""
        gate = gate_of(self.model.model, self.inputs, self.stack, layer)
        return None if gate is None else gate.view(len(gate), self.heads[layer], -1)

    def layer(self, index: object, words: str = "") -> int:
        """The index of a layer that has attention weights, from 0 on, among all of the model's layers.

        words: what else may be given. Raises RangeError.
        """
        return attending_layer(self.model, self.layout, self.stack, index, words)

    def chain(self, index: object) -> tuple[int, list[int]]:
        """The index of a layer from 0 on, and those up to it that have attention weights. Raises RangeError."""
        top = in_range("layer", index, len(self.layout.kinds_of(self.stack)))
        layers = [layer for layer in self.heads if layer <= top]
        return top, layers or [self.layer(index)]

    def chain_with_linear(self, index: object) -> tuple[int, list[int], list[int]]:
        """The index of a layer from 0 on; those up to it with attention weights; and those with linear attention.

        Raises RangeError, ModelError where the model has no linear attention.
        """
        batch, linear = self.attention.batch, self.linear
        count = configured(self.model.model, "num_hidden_layers") or 0
        last = linear_layer(self.model, linear, count, -1)
        layout = layout_beside(batch.model, batch.inputs, batch.stack, linear)
        heads = {} if layout is None else layout.heads_of(batch.stack)
        top = in_range("layer", index, max(count, last + 1))
        attending, unrolled = ([layer for layer in layers if layer <= top] for layers in (heads, linear))
        if not unrolled:
            raise RangeError(
                f"there is no linear attention up to layer {top}: leave linear out, or ask for a higher layer"
            )
        return top, attending, unrolled

    def capture_linear(self, layers: Sequence[int], see: Callable[[int, LinearCall], None]) -> None:
        """Run this text alone and pass each layer's linear attention, from the bottom up, to `see(layer, call)`."""
        capture_linear(self.model.model, self.inputs, layers, see)

    def coverage(self, top: int) -> tuple[int, int] | None:
        """Of the layers up to `top` in which tokens mix, how many have attention weights; None where all have."""
        return coverage(self.layout, self.stack, top)

    def head(self, index: object, layer: int, words: str = "") -> int:
        """The index of a head of a layer, counted from 0. Raises RangeError."""
        return in_range("head", index, self.heads[layer], words)
