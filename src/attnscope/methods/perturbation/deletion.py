"""Attention by deletion (PromptRobust): what the target loses when a word is left out."""

import numpy as np

from attnscope.methods.task import Scores, Task


def deletion(task: Task, *, signed: bool = False) -> Scores:
    """How much the target changes when each word is left out of the input (PromptRobust, arXiv:2306.04528).

    score(word w) = |F(x without w) − F(x)|; with `signed` F(x) − F(x without w): positive words raise F. In F's own
    unit (nats for log-probabilities and losses). Without a target, F is the loss of the text, the mean over the tokens
    that are left.

    In a causal model, words after the target score exactly 0. A word that the target is read from (a masked word, the
    word whose label is explained) cannot be left out and scores 0; `fixed` lists its tokens. Where nothing would be
    left before a target, the model's start token takes its place. The tokens of a unit share its score evenly.

    It misleads where two words say the same: leaving out either changes nothing. And a text with a hole is unlike the
    texts that the model was trained on.

    Raises what `gradient` raises, and InputError where nothing would be left to predict.

    >>> text = "Paris is in France. Tokyo is in"
    >>> words = ats.explain(model, text, method="deletion", target=" Japan", against=" France", signed=True)
    >>> words.scores.round(1)
    array([ 2. ,  2.5,  3.3,  6. ,  4.2, 13.7,  5.6,  7.9])
    """
    removable = task.removable
    values = task.values_without([frozenset(), *(frozenset([i]) for i in removable)], "delete")
    units = np.zeros((values.shape[1], len(task.units)))
    units[:, removable] = (values[0] - values[1:]).T
    return Scores(units=units if signed else np.abs(units), values=values[0], signed=signed)
