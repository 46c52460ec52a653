"""The methods that score words: METHODS is the table, one method one file.

To add a method: its file, one row here, one reference test.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from attnscope.attribution import Attribution
from attnscope.errors import InputError
from attnscope.methods.attention import attention
from attnscope.methods.gradient import gradient
from attnscope.models.load import Model


@dataclass(frozen=True)
class Method:
    """One row of METHODS.

    run:   (model, text, **parameters) -> Attribution.
    score: what a score is, with its unit.
    sign:  "non-negative" or "signed".
    cost:  in passes through the model.
    """

    run: Callable[..., Attribution]
    score: str
    sign: str
    cost: str
    paper: str


METHODS: dict[str, Method] = {
    "gradient": Method(
        gradient,
        score="how strongly the loss reacts to the token's embedding, in nats per unit of embedding",
        sign="non-negative",
        cost="one forward and one backward pass",
        paper="PromptRobust, arXiv:2306.04528",
    ),
    "attention": Method(
        attention,
        score="the share of a query's attention that the token takes",
        sign="non-negative",
        cost="at most one forward pass",
        paper="arXiv:1706.03762",
    ),
}


def explain(model: Model, text: str, method: str = "gradient", **parameters: Any) -> Attribution:
    """Score every token and word of `text` with one of METHODS; `parameters` are the method's own.

    Raises InputError for a method or parameter that there is not, and what the method raises.
    """
    if method not in METHODS:
        near = get_close_matches(method, METHODS, n=1)
        raise InputError(
            f"there is no method {method!r}; choose from {', '.join(METHODS)}"
            + (f" (meant {near[0]!r}?)" if near else "")
        )
    run = METHODS[method].run
    known = list(inspect.signature(run).parameters)[2:]
    if unknown := [name for name in parameters if name not in known]:
        raise InputError(f"the method {method!r} has no parameter {unknown[0]!r}; it takes {', '.join(known)}")
    return run(model, text, **parameters)
