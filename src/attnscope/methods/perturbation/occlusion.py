"""Occlusion: what the target loses when words are covered rather than left out."""

from collections.abc import Sequence
from typing import Literal, Unpack

import numpy as np

from attnscope.errors import InputError
from attnscope.methods.perturbation.common import players, values_without, way_of
from attnscope.methods.request import Asking, Result, answers, questions
from attnscope.models.loading.load import Model


def occlusion(
    model: Model,
    text: str | Sequence[str],
    *,
    window: int = 1,
    way: Literal["mask", "pad", "zero", "mean"] | None = None,
    **asking: Unpack[Asking],
) -> Result | list[Result]:
    """How much the target falls when each word is covered (Zeiler and Fergus 2014, arXiv:1311.2901).

    score(word w) = mean over the windows W with w of F(x) − F(x with W covered). Signed: positive words raise F. In F's
    own unit. The target's own tokens stay what they were: the loss of a text is that of the whole text.

    window: how many units are covered at a time; one window begins at every unit.
    way:    what covers a token: the "mask" or "pad" token, the "zero" or the "mean" embedding (of the vocabulary).
            By default the mask token where there is one, else the mean embedding.

    A unit that the target stands on is not covered and scores 0. It misleads as `deletion` does, and by what the cover
    itself says: a pad token may mean something to the model. Raises what `deletion` raises.
    """
    if type(window) is not int or window < 1:
        raise InputError(f"window={window!r}: give the number of units to cover at a time, 1 or more")
    if str(way) == "delete":
        raise InputError("way='delete' leaves words out: that is the method 'deletion'")
    results = []
    for question in questions(model, text, asking, "occlusion", lambda units: units):
        able = players(question)
        width = min(window, len(able))
        windows = [able[i : i + width] for i in range(len(able) - width + 1)]
        used = way_of(question, way)
        values = values_without(question, [frozenset(), *map(frozenset, windows)], used)
        units = np.zeros((values.shape[1], len(question.units)))
        count = np.zeros(len(question.units))
        for inside, value in zip(windows, values[1:], strict=True):
            units[:, inside] += (values[0] - value)[:, None]
            count[inside] += 1
        units /= np.maximum(count, 1)
        results.append(
            question.answer(
                "occlusion",
                tokens=question.spread(units),
                units=units,
                values=values[0].tolist(),
                family="perturbation",
                options={"window": window, "way": used},
                signed=True,
            )
        )
    return answers(text, results)
