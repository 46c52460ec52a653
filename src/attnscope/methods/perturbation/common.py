"""What Shapley values, LIME and the surrogate share: they compare texts with different sets of words missing."""

from attnscope.errors import InputError
from attnscope.methods.task import Task


def compared_with(task: Task, replacement: str | None) -> str:
    """What replaces the missing words: `replacement`, else the model's default.

    Raises InputError for "delete" where the target is the loss of the text: each set of words would leave other tokens
    to take the loss over, so that differences would not add up.
    """
    used = task.replacement(replacement)
    if used == "delete" and task.target.readouts[0].of_text:
        raise InputError(
            "replacement='delete' changes what the loss of the text is taken over, so that its parts do not add up: "
            "give a target, or another replacement"
        )
    return used
