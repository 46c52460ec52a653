"""Random scores: the yardstick that every method has to beat."""

import hashlib
from collections.abc import Sequence
from typing import Unpack

import numpy as np

from attnscope.methods.request import Asking, Result, answers, questions
from attnscope.models.loading.load import Model
from attnscope.models.targets.readout import values


def random(
    model: Model, text: str | Sequence[str], *, seed: int = 0, **asking: Unpack[Asking]
) -> Result | list[Result]:
    """Scores drawn uniformly from 0 to 1, by unit, independently of model and target.

    The same seed and text give the same scores in any batch. No unit and no sign. A method that does no better in a
    faithfulness test, or agrees with this one, explains nothing. Raises what `gradient` raises.
    """
    results = []
    for question in questions(model, text, asking, "random"):
        objective = question.objective
        found = sum(value.numpy() for value in values(question.model.model, objective.readings))
        own = int.from_bytes(
            hashlib.sha256(objective.encoded.text.encode("utf-8", "surrogatepass")).digest()[:8], "big"
        )
        generator = np.random.default_rng([seed, own])
        units = generator.random((max(1, len(objective.about)), len(question.units)))
        results.append(
            question.answer(
                "random",
                tokens=question.spread(units),
                units=units,
                values=np.atleast_1d(found).tolist(),
                family="baseline",
                options={"seed": seed},
                signed=False,
            )
        )
    return answers(text, results)
