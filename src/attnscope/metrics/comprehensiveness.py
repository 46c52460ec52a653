"""Comprehensiveness: what the prediction loses with the words that are said to matter."""

from attnscope.metrics.bins import changes, taken
from attnscope.metrics.question import Asking, Case


def comprehensiveness(case: Case) -> Asking:
    """mean over bins k of p(y | x) − p(y | x without its k strongest words); higher is better.

    A difference of probabilities, -1 to 1; bins of 1, 5, 10, 20 and 50 % of the words, each at least one word (DeYoung
    et al. 2020, ERASER, arXiv:1911.03429). It misleads by texts with holes, which the model was not trained on, and
    where two words say the same.
    """
    return float((yield from changes(taken(case))).mean())
