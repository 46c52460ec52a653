"""One label out of several, asked of any method in the words that the method takes."""

from collections.abc import Mapping, Sequence
from typing import Any

from attnscope.methods.table import Method
from attnscope.models.architecture import task_of
from attnscope.models.loading.load import Model


def label_request(
    model: Model,
    method: Method,
    labels: Sequence[str | int],
    label: int,
    options: Mapping[str, Any],
    position: int | str | None = None,
) -> dict[str, Any]:
    """What a method is given, beside its `options`, so that it explains `labels[label]`.

    Methods that explain a target get the label, of two labels held against the other. Methods that look at attention
    have no contrast: they look from where the label is predicted, if a language model is to write it and no query says
    otherwise; the labels of a classifier are read off no token, and they are given nothing.
    """
    at = {} if position is None else {"position": position}
    if not labels:
        return {}
    if method.asks != "query":
        against = {"against": labels[1 - label]} if len(labels) == 2 else {}
        return {"target": labels[label], **against, "quantity": "log_probability", **at}
    if "query" in options or "stack" in options or task_of(model.model) in ("classifier", "token classifier"):
        return {}
    return {"target": labels[label], **at}
