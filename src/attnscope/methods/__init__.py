"""The methods that score words: METHODS is the table, one method one file.

To add a method: its file, one row here, one reference test.
"""

import inspect
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, overload

from attnscope.errors import InputError
from attnscope.methods.attention.at_target import at_target, is_meant
from attnscope.methods.attention.attention_gradient import attention_gradient
from attnscope.methods.attention.flow import attention_flow
from attnscope.methods.attention.request import Looking
from attnscope.methods.attention.rollout import rollout
from attnscope.methods.attention.row import attention
from attnscope.methods.attention.value_norm import value_norm
from attnscope.methods.attention.value_zeroing import value_zeroing
from attnscope.methods.gradient.gim import gim
from attnscope.methods.gradient.gradient import gradient
from attnscope.methods.gradient.gradient_shap import gradient_shap
from attnscope.methods.gradient.gradient_x_input import gradient_x_input
from attnscope.methods.gradient.integrated_gradients import integrated_gradients
from attnscope.methods.gradient.smooth_grad import smooth_grad
from attnscope.methods.perturbation.deletion import deletion
from attnscope.methods.perturbation.lime import lime
from attnscope.methods.perturbation.occlusion import occlusion
from attnscope.methods.perturbation.shapley import shapley
from attnscope.methods.random import random
from attnscope.methods.request import Asking, Result
from attnscope.models.loading.load import Model


@dataclass(frozen=True)
class Method:
    """One row of METHODS.

    run:   (model, text, **parameters) -> Attribution, or PerToken with per_token=True; a list of them for many texts.
    score: what a score is, with its unit.
    sign:  "non-negative" or "signed".
    cost:  in passes through the model.
    """

    run: Callable[..., Any]
    score: str
    sign: str
    cost: str
    paper: str


METHODS: dict[str, Method] = {
    "gradient": Method(
        gradient,
        score="how strongly the target reacts to the token's embedding, in nats per unit of embedding",
        sign="non-negative",
        cost="one forward and one backward pass",
        paper="PromptRobust, arXiv:2306.04528",
    ),
    "gradient_x_input": Method(
        gradient_x_input,
        score="the share of the target that the token carries to first order, in nats",
        sign="signed",
        cost="one forward and one backward pass",
        paper="Shrikumar et al. 2016, arXiv:1605.01713",
    ),
    "integrated_gradients": Method(
        integrated_gradients,
        score="the token's part in the target's change from a baseline to the text, in nats",
        sign="signed",
        cost="one forward and one backward pass per step (20)",
        paper="Sundararajan et al. 2017, arXiv:1703.01365",
    ),
    "smooth_grad": Method(
        smooth_grad,
        score="the norm of the mean gradient over noisy copies, in nats per unit of embedding",
        sign="non-negative",
        cost="one forward and one backward pass per sample (16)",
        paper="Smilkov et al. 2017, arXiv:1706.03825",
    ),
    "gradient_shap": Method(
        gradient_shap,
        score="the token's expected part in the change from random baselines to the text, in nats",
        sign="signed",
        cost="one forward and one backward pass per sample (32)",
        paper="Lundberg and Lee 2017, arXiv:1705.07874; Erion et al., arXiv:1906.10670",
    ),
    "gim": Method(
        gim,
        score="the share of the target by a gradient that sees through sharp attention and norms",
        sign="signed",
        cost="one forward and one backward pass",
        paper="Edin et al. 2025, arXiv:2505.17630",
    ),
    "deletion": Method(
        deletion,
        score="how much the target changes without the word, in nats",
        sign="non-negative, or signed with signed=True",
        cost="one forward pass per word, behind a shared prefix",
        paper="PromptRobust, arXiv:2306.04528",
    ),
    "occlusion": Method(
        occlusion,
        score="how much the target falls when the word is covered, in nats",
        sign="signed",
        cost="one forward pass per word, behind a shared prefix",
        paper="Zeiler and Fergus 2014, arXiv:1311.2901",
    ),
    "shapley": Method(
        shapley,
        score="the word's mean part in the target over the orders in which words come in, in nats",
        sign="signed",
        cost="16 forward passes per word",
        paper="Castro et al. 2009; Mitchell et al., arXiv:2104.12199",
    ),
    "lime": Method(
        lime,
        score="the word's coefficient in a linear model of the target around the text, in nats",
        sign="signed",
        cost="256 forward passes",
        paper="Ribeiro et al. 2016, arXiv:1602.04938",
    ),
    "random": Method(
        random,
        score="drawn uniformly from 0 to 1: the yardstick",
        sign="non-negative",
        cost="one forward pass, for the target's value",
        paper="",
    ),
    "attention": Method(
        attention,
        score="the share of a query's attention that the token takes",
        sign="non-negative",
        cost="at most one forward pass",
        paper="arXiv:1706.03762",
    ),
    "rollout": Method(
        rollout,
        score="the share of the token that arrives at the query, if attention carried it through all layers",
        sign="non-negative",
        cost="one forward pass, and the attention of every layer once more",
        paper="Abnar & Zuidema 2020, arXiv:2005.00928",
    ),
    "attention_flow": Method(
        attention_flow,
        score="the most that can flow from the query to the token, 0 to 1",
        sign="non-negative",
        cost="one forward pass, and a maximum flow for each token: for short texts",
        paper="Abnar & Zuidema 2020, arXiv:2005.00928",
    ),
    "attention_gradient": Method(
        attention_gradient,
        score="attention times its gradient for a prediction, through all layers, in units of the target",
        sign="non-negative",
        cost="one forward and one backward pass, and the attention of every layer once more",
        paper="Chefer et al. 2021, arXiv:2103.15679",
    ),
    "value_norm": Method(
        value_norm,
        score="the length of what the token's values add to the query, in units of the residual stream",
        sign="non-negative",
        cost="at most one forward pass",
        paper="Kobayashi et al. 2020, arXiv:2004.10102",
    ),
    "value_zeroing": Method(
        value_zeroing,
        score="the share of the query's change when the token's value is set to zero, through all layers",
        sign="non-negative",
        cost="as many forward passes as there are tokens, in batches: for short texts",
        paper="Mohebbi et al. 2023, arXiv:2301.12971",
    ),
}


def check_method(method: str, parameters: Collection[str]) -> None:
    """Raises InputError for a method that there is not, or a parameter that it does not take."""
    if method not in METHODS:
        near = get_close_matches(method, METHODS, n=1)
        raise InputError(
            f"there is no method {method!r}; choose from {', '.join(METHODS)}"
            + (f" (meant {near[0]!r}?)" if near else "")
        )
    known = parameters_of(method)
    if unknown := [name for name in parameters if name not in known]:
        raise InputError(f"the method {method!r} has no parameter {unknown[0]!r}; it takes {', '.join(known)}")


@overload
def explain(model: Model, text: str, method: str = "gradient", **parameters: Any) -> Result: ...
@overload
def explain(model: Model, text: Sequence[str], method: str = "gradient", **parameters: Any) -> list[Result]: ...
def explain(
    model: Model, text: str | Sequence[str], method: str = "gradient", **parameters: Any
) -> Result | list[Result]:
    """Score every token and word of `text` with one of METHODS.

    text:       one text, or a list of texts: then the result is a list in the same order.
    parameters: the method's own, and what all methods take: target, against, generate, per_token, position, quantity,
                unit, segments, within, chat, truncate (`attnscope.methods.request`). An attention method answers a
                target by the position that predicts it (`attnscope.methods.attention.at_target`).

    With per_token=True the result is a PerToken, else an Attribution. Raises InputError for a method or parameter that
    there is not, and what the method raises.
    """
    check_method(method, parameters)
    run = METHODS[method].run
    if _looks(method) and is_meant(method, parameters):
        return at_target(model, text, method, run, parameters)
    result: Result | list[Result] = run(model, text, **parameters)
    return result


def parameters_of(method: str) -> list[str]:
    """The names of what a method takes beside model and text: its own first, then what all take."""
    given = list(inspect.signature(METHODS[method].run).parameters.values())[2:]
    own = [p.name for p in given if p.kind is not p.VAR_KEYWORD]
    shared = [*(Looking.__annotations__ if _looks(method) and given[-1].kind is given[-1].VAR_KEYWORD else ())]
    return list(dict.fromkeys([*own, *shared, *Asking.__annotations__]))


def _looks(method: str) -> bool:
    """Whether a method's question is a query of attention rather than a target."""
    return "query" in inspect.signature(METHODS[method].run).parameters
