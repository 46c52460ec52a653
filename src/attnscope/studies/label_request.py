"""How to ask any method to explain one of several labels, with the parameters that the method takes."""

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
    """The parameters, beside its `options`, with which a method explains `labels[label]`.

    Methods that explain a target get the label; of two labels, it is contrasted with the other. Methods that read
    attention have no contrast: in a language model they read it from where the label is predicted, unless a query is
    given. A classifier reads its labels off no single token, so these methods get nothing.
    """
    where = {} if position is None else {"position": position}
    if not labels:
        return {}
    if method.asks != "query":
        against = {"against": labels[1 - label]} if len(labels) == 2 else {}
        return {"target": labels[label], **against, "quantity": "log_probability", **where}
    if "query" in options or "stack" in options or task_of(model.model) in ("classifier", "token classifier"):
        return {}
    return {"target": labels[label], **where}
