"""Attention by deletion (PromptRobust): what the target loses when a word is left out."""

from collections.abc import Sequence
from typing import Unpack

import numpy as np

from attnscope.methods.perturbation.common import players, values_without
from attnscope.methods.request import Asking, Result, answers, questions
from attnscope.models.loading.load import Model


def deletion(
    model: Model, text: str | Sequence[str], *, signed: bool = False, **asking: Unpack[Asking]
) -> Result | list[Result]:
    """How much the target changes when each word is left out of the input (PromptRobust, arXiv:2306.04528).

    score(word w) = |F(x without w) − F(x)|; with `signed` F(x) − F(x without w): positive words raise F. In F's own
    unit (nats for log-probabilities and losses). F of nothing asked for is the loss of the text, the mean over the
    tokens that are left.

    Words that a causal target does not read (after it) score exactly 0. A word that the target stands on (a masked
    word, the word whose label is asked for) cannot be left out and scores 0; `fixed` names its tokens. Where nothing
    would be left before a target, the model's start token stands in. The tokens of a unit share its score evenly.

    It misleads where two words say the same: leaving out either changes nothing. A text with a hole is also no text
    that the model was trained on.

    Raises what `gradient` raises, and InputError where nothing would be left to predict.

    >>> deletion(load(), "The film is great. I am", target=" happy").scores  # doctest: +SKIP
    """
    results = []
    for question in questions(model, text, asking, "deletion", lambda units: units):
        able = players(question)
        values = values_without(question, [frozenset(), *(frozenset([i]) for i in able)], "delete")
        units = np.zeros((values.shape[1], len(question.units)))
        units[:, able] = (values[0] - values[1:]).T
        units = units if signed else np.abs(units)
        results.append(
            question.answer(
                "deletion",
                tokens=question.spread(units),
                units=units,
                values=values[0].tolist(),
                family="perturbation",
                options={"signed": signed},
                signed=signed,
            )
        )
    return answers(text, results)
