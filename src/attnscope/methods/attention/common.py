"""What the attention methods share: how heads are put log_probabilities, and where a chain of layers can go."""

from collections.abc import Sequence

from attnscope.errors import InputError, ModelError
from attnscope.methods.task import Task


def check_over_heads(over: str, choices: Sequence[str] = ("mean", "max", "min")) -> None:
    """Raises InputError for a way of putting heads together that is none of the choices."""
    if over not in choices:
        raise InputError(f"heads={over!r}: choose from {', '.join(choices)}")


def within_one_text(task: Task) -> None:
    """Raises ModelError where attention does not lead from a text back to itself, layer by layer."""
    if task.stack == "cross":
        raise ModelError(
            f"{task.method} follows attention from layer to layer within one text; cross-attention goes from one text "
            'to another: choose stack="encoder" or "decoder", or method="attention"'
        )
