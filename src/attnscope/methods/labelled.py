"""One label out of several, asked of any method in the words that the method takes."""

from collections.abc import Sequence
from typing import Any

from attnscope.methods import parameters_of


def asked_for_label(
    method: str, labels: Sequence[str | int], label: int, position: int | str | None = None
) -> dict[str, Any]:
    """What a method is given so that it explains `labels[label]`; of two labels it is held against the other.

    Methods that explain no prediction (attention, rollout, …) are given nothing: to them `target` is a text that
    follows.
    """
    takes = parameters_of(method)
    if "against" not in takes or not labels:
        return {}
    given: dict[str, Any] = {"target": labels[label]}
    if len(labels) == 2:
        given["against"] = labels[1 - label]
    if "quantity" in takes:
        given["quantity"] = "log_probability"
    if "position" in takes and position is not None:
        given["position"] = position
    return given
