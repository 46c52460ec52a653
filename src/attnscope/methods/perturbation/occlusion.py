"""Occlusion: what the target loses when words are covered rather than left out."""

from typing import Literal

import numpy as np

from attnscope.errors import InputError
from attnscope.methods.task import Scores, Task


def occlusion(
    task: Task,
    *,
    width: int = 1,
    replacement: Literal["mask", "pad", "zero", "mean"] | None = None,
) -> Scores:
    """How much the target falls when each word is covered (Zeiler and Fergus 2014, arXiv:1311.2901).

    score(word w) = mean over the windows W with w of F(x) − F(x with W covered). Signed: positive words raise F. In F's
    own unit. The target's tokens stay as they are: the loss of a text is still over all its tokens.

    width:  how many units are covered at a time; a window begins at every unit.
    replacement: what covers a token: the "mask" or "pad" token, the "zero" embedding, or the "mean" embedding of the
            vocabulary. By default the mask token if the model has one, else the mean embedding.

    A unit that the target is read from is not covered and scores 0. It misleads where `deletion` does, and where the
    cover itself says something: a pad token may mean something to the model. Raises what `deletion` raises.
    """
    if type(width) is not int or width < 1:
        raise InputError(f"width={width!r}: give the number of units to cover at a time, 1 or more")
    if str(replacement) == "delete":
        raise InputError("replacement='delete' leaves words out: that is the method 'deletion'")
    removable = task.removable
    size = min(width, len(removable))
    windows = [removable[i : i + size] for i in range(len(removable) - size + 1)]
    used = task.replacement(replacement)
    values = task.values_without([frozenset(), *map(frozenset, windows)], used)
    units = np.zeros((values.shape[1], len(task.units)))
    count = np.zeros(len(task.units))
    for inside, value in zip(windows, values[1:], strict=True):
        units[:, inside] += (values[0] - value)[:, None]
        count[inside] += 1
    return Scores(units=units / np.maximum(count, 1), values=values[0], options={"replacement": used})
