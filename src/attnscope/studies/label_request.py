"""One label out of several, asked of any method in the words that the method takes."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from attnscope.methods import METHODS
from attnscope.models.architecture import task_of
from attnscope.models.loading.load import Model


def asked_for_label(
    model: Model,
    method: str,
    labels: Sequence[str | int],
    label: int,
    own: Mapping[str, Any],
    position: int | str | None = None,
) -> dict[str, Any]:
    """What a method is given, beside its `own` parameters, so that it explains `labels[label]`.

    Methods that explain a value get the label, of two labels held against the other. Methods that follow attention have
    no contrast: they look from where the label is predicted, if a language model is to write it and no query says
    otherwise; the labels of a classifier are read off no token, and they are given nothing.
    """
    takes = inspect.signature(METHODS[method].run).parameters
    at = {} if position is None else {"position": position}
    if not labels:
        return {}
    if "asking" in takes or "against" in takes:
        against = {"against": labels[1 - label]} if len(labels) == 2 else {}
        return {"target": labels[label], **against, "quantity": "log_probability", **at}
    if "query" in own or "kind" in own or task_of(model.model) in ("classifier", "token classifier"):
        return {}
    return {"target": labels[label], **at}


def scores_units(method: str) -> bool:
    """Whether a method scores pieces of the text that it is given, rather than every token that it looks at."""
    return "asking" in inspect.signature(METHODS[method].run).parameters
