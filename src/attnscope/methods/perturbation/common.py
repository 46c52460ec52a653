"""What Shapley values, LIME and the surrogate share: sets of words that are left, compared with each other."""

from attnscope.errors import InputError
from attnscope.methods.task import Task


def compared_with(task: Task, replacement: str | None) -> str:
    """What overwrites the words that are missing: as asked, else the model's default.

    Raises InputError for "delete" where the target is the text's own loss: it would be taken over other tokens for
    every set of words, so that their differences would not add up.
    """
    used = task.replacement(replacement)
    if used == "delete" and task.target.readouts[0].of_text:
        raise InputError(
            "replacement='delete' changes what the loss of the text is taken over, so that its parts do not add up: "
            "give a target, or another replacement"
        )
    return used
