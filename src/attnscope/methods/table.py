"""METHODS: the one table of everything that is known about a method.

To add a method, write its file, its row here and its tests.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from attnscope.errors import InputError
from attnscope.methods import cost as costs
from attnscope.methods.attention.attention import attention
from attnscope.methods.attention.attention_gradient import attention_gradient
from attnscope.methods.attention.flow import attention_flow
from attnscope.methods.attention.rollout import rollout
from attnscope.methods.attention.value_norm import value_norm
from attnscope.methods.attention.value_zeroing import value_zeroing
from attnscope.methods.gradient.gim import gim
from attnscope.methods.gradient.gradient import gradient
from attnscope.methods.gradient.gradient_shap import gradient_shap
from attnscope.methods.gradient.gradient_x_input import gradient_x_input
from attnscope.methods.gradient.integrated_gradients import integrated_gradients
from attnscope.methods.gradient.mask_gradient import mask_gradient
from attnscope.methods.gradient.smooth_grad import smooth_grad
from attnscope.methods.papers.facts import named, papers_of
from attnscope.methods.perturbation.deletion import deletion
from attnscope.methods.perturbation.lime import lime
from attnscope.methods.perturbation.occlusion import occlusion
from attnscope.methods.perturbation.shapley import shapley
from attnscope.methods.perturbation.surrogate import surrogate
from attnscope.methods.random import random
from attnscope.methods.request import SHARED, Query
from attnscope.methods.task import Scores

SHORTER = "give a shorter text"
_FEWER_UNITS = f"score larger units (unit='sentence' or segments), use method='gradient', or {SHORTER}"
OF_ATTENTION = ("query", "stack")


@dataclass(frozen=True)
class Method:
    """One row of METHODS.

    run:    `def name(task, *, own options) -> Scores`.
    family: "attention" (a row of attention itself), "flow" (attention followed through layers, or weighted by what it
            carries), "gradient", "perturbation", "baseline", or "own" (the caller's function).
    unit:   what a score is, with its unit.
    sign:   "non-negative" or "signed".
    passes: the cost in words; names in braces stand for the defaults of the method's options.
    cost:   the cost as a function of sizes; runs: the number of passes, given the options and the number of units;
            smaller: how to make a request smaller.
    asks:   what a task needs: a "target"; a "query" of attention; or a "prediction", which is a query where the model's
            next token is meant, else a target.
    query:  the default query. shares: whether a token's score is a share of attention, so that it makes sense to say
            what special tokens took.

    >>> ats.METHODS["integrated_gradients"].sign, ats.METHODS["integrated_gradients"].cost_in_words
    ('signed', 'one forward and one backward pass per step (20)')
    """

    run: Callable[..., Scores]
    family: Literal["attention", "flow", "gradient", "perturbation", "baseline", "own"]
    unit: str
    sign: Literal["non-negative", "signed"] = "non-negative"
    passes: str = "one forward pass"
    cost: Callable[[costs.Size], costs.Cost] = costs.gradients
    asks: Literal["target", "query", "prediction"] = "target"
    runs: Callable[[Mapping[str, Any], int], int] = lambda _options, _units: 1
    smaller: str = SHORTER
    query: Query = None
    shares: bool = False

    @property
    def name(self) -> str:
        """The name of the method's function."""
        return self.run.__name__

    @property
    def paper(self) -> str:
        """The papers that it is from, in one line."""
        return named(papers_of(self.name)) if METHODS.get(self.name) is self else ""

    @property
    def options(self) -> dict[str, Any]:
        """The method's own options and their defaults."""
        parameters = inspect.signature(self.run).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

    @property
    def shared_options(self) -> list[str]:
        """The shared options it takes: see `attnscope.methods.request.Options`."""
        reads_attention = self.asks != "target" or self.family == "own"
        return [name for name in SHARED if reads_attention or name not in OF_ATTENTION]

    @property
    def cost_in_words(self) -> str:
        """The cost in passes through the model."""
        return self.passes.format(**self.options)


METHODS: dict[str, Method] = {
    row.name: row
    for row in (
        Method(
            gradient,
            family="gradient",
            unit="how strongly the target reacts to the token's embedding, in nats per unit of embedding",
            passes="one forward and one backward pass",
        ),
        Method(
            gradient_x_input,
            family="gradient",
            unit="the share of the target that the token carries to first order, in nats",
            sign="signed",
            passes="one forward and one backward pass",
        ),
        Method(
            integrated_gradients,
            family="gradient",
            unit="the token's part in how the target changes from a baseline to the text, in nats",
            sign="signed",
            passes="one forward and one backward pass per step ({steps})",
            runs=lambda options, _units: options["steps"],
            smaller=f"take fewer steps, or {SHORTER}",
        ),
        Method(
            smooth_grad,
            family="gradient",
            unit="the norm of the mean gradient over noisy copies, in nats per unit of embedding",
            passes="one forward and one backward pass per sample ({samples})",
            cost=lambda size: costs.gradients(size, noisy=1),
            runs=lambda options, _units: options["samples"],
            smaller=f"take fewer samples, or {SHORTER}",
        ),
        Method(
            gradient_shap,
            family="gradient",
            unit="the token's expected part in how the target changes from random baselines to the text, in nats",
            sign="signed",
            passes="one forward and one backward pass per sample ({samples})",
            cost=lambda size: costs.gradients(size, noisy=2),
            runs=lambda options, _units: options["samples"],
            smaller=f"take fewer samples, or {SHORTER}",
        ),
        Method(
            gim,
            family="gradient",
            unit="the token's share of the target, by a gradient that sees through sharp attention and norms",
            sign="signed",
            passes="one forward and one backward pass",
        ),
        Method(
            mask_gradient,
            family="gradient",
            unit="what the target loses, to first order, when no other token sees the token",
            sign="signed",
            passes="one forward and one backward pass per step ({steps}), and the attention of every layer once more; "
            "with exact, a forward pass for each of so many units",
            cost=costs.mask_gradient,
            runs=lambda options, _units: options["steps"],
            smaller=f"take fewer steps, or {SHORTER}",
        ),
        Method(
            deletion,
            family="perturbation",
            unit="how much the target changes without the word, in nats; signed with signed=True",
            passes="one forward pass per word, behind a shared prefix",
            cost=costs.single_words,
            runs=lambda _options, units: units,
            smaller=_FEWER_UNITS,
        ),
        Method(
            occlusion,
            family="perturbation",
            unit="how much the target falls when the word is covered, in nats",
            sign="signed",
            passes="one forward pass per word, behind a shared prefix",
            cost=costs.single_words,
            runs=lambda _options, units: units,
            smaller=_FEWER_UNITS,
        ),
        Method(
            shapley,
            family="perturbation",
            unit="the word's mean part in the target over the orders in which words come in, in nats",
            sign="signed",
            passes="two forward passes per word for each of {pairs} pairs of orders",
            cost=costs.texts,
            runs=lambda options, units: 2 * options["pairs"] * units,
            smaller=f"take fewer pairs, {_FEWER_UNITS}",
        ),
        Method(
            lime,
            family="perturbation",
            unit="the word's coefficient in a linear model of the target around the text, in nats",
            sign="signed",
            passes="{samples} forward passes",
            cost=costs.texts,
            runs=lambda options, _units: options["samples"],
            smaller=f"take fewer samples, or {SHORTER}",
        ),
        Method(
            surrogate,
            family="perturbation",
            unit="what the word adds to the target on random halves of the text, in nats",
            sign="signed",
            passes="{samples} forward passes, whatever the length",
            cost=costs.texts,
            runs=lambda options, _units: options["samples"],
            smaller=f"take fewer samples, or {SHORTER}",
        ),
        Method(
            random,
            family="baseline",
            unit="drawn uniformly from 0 to 1: the yardstick",
            passes="one forward pass, for the target's value",
            cost=costs.texts,
        ),
        Method(
            attention,
            family="attention",
            unit="the share of a query's attention that the token takes",
            passes="at most one forward pass",
            cost=costs.passing,
            asks="query",
            shares=True,
        ),
        Method(
            rollout,
            family="flow",
            unit="the share of the token that arrives at the query, if attention carried it through all layers",
            passes="one forward pass, and the attention of every layer once more",
            cost=costs.rollout,
            asks="query",
            smaller=f"ask for a lower layer, or {SHORTER}",
            shares=True,
        ),
        Method(
            attention_flow,
            family="flow",
            unit="the most that can flow from the query to the token or word, 0 to 1",
            passes="one forward pass, and a maximum flow for each token: for short texts",
            cost=costs.passing,
            asks="query",
            query=-1,
        ),
        Method(
            attention_gradient,
            family="flow",
            unit="attention times its gradient for a prediction, through all layers, in units of the target",
            passes="one forward and one backward pass, and the attention of every layer once more",
            cost=costs.attention_gradient,
            asks="prediction",
            query=-1,
        ),
        Method(
            value_norm,
            family="flow",
            unit="the length of what the token's values add to the query, in units of the residual stream",
            passes="at most one forward pass",
            cost=costs.value_norm,
            asks="query",
        ),
        Method(
            value_zeroing,
            family="flow",
            unit="the share of the query's change when the token's value is set to zero, through all layers",
            passes="as many forward passes as there are tokens, in batches: for short texts",
            cost=costs.value_zeroing,
            asks="query",
            smaller=f"ask for one layer, use method='value_norm', or {SHORTER}",
            shares=True,
        ),
    )
}
"""The methods by their names, each a `Method`: what it measures, its sign, unit, cost and paper.

>>> [name for name, method in ats.METHODS.items() if method.family == "attention"]
['attention']
"""


def method_of(given: "str | Method | Callable[..., Scores]") -> Method:
    """The row of this name, or a row for the caller's function. Raises InputError for a name that has no row."""
    if isinstance(given, Method):
        return given
    if callable(given):
        return Method(given, family="own", unit=f"{given.__name__} score")
    if given not in METHODS:
        near = get_close_matches(str(given), METHODS, n=1)
        raise InputError(
            f"there is no method {given!r}; choose from {', '.join(METHODS)}"
            + (f" (meant {near[0]!r}?)" if near else "")
        )
    return METHODS[given]
