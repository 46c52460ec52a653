"""Sufficiency: what the prediction loses when nothing is left but the words that are said to matter."""

from attnscope.metrics.bins import changes, left
from attnscope.metrics.question import Asking, Case


def sufficiency(case: Case) -> Asking:
    """mean over bins k of p(y | x) − p(y | the k strongest words of x alone); lower is better.

    A difference of probabilities, -1 to 1, over the bins of `comprehensiveness` (DeYoung et al. 2020, ERASER,
    arXiv:1911.03429). It misleads where a text of one or two words is unlike every text the model knows.
    """
    return float((yield from changes(left(case))).mean())
