"""Checks that the attention methods share: how heads are reduced, and where attention can be followed."""

from collections.abc import Sequence

from attnscope.errors import InputError, ModelError
from attnscope.methods.task import Task


def check_over_heads(over: str, choices: Sequence[str] = ("mean", "max", "min")) -> None:
    """Raises InputError where `over`, the way in which heads are reduced, is none of the choices."""
    if over not in choices:
        raise InputError(f"heads={over!r}: choose from {', '.join(choices)}")


def within_one_text(task: Task) -> None:
    """Raises ModelError for cross-attention, which cannot be followed from layer to layer within one text."""
    if task.stack == "cross":
        raise ModelError(
            f"{task.method} follows attention from layer to layer within one text; cross-attention goes from one text "
            'to another: choose stack="encoder" or "decoder", or method="attention"'
        )
