"""Log-odds: how many nats the label's probability falls without the strongest words."""

from attnscope.metrics.bins import taken
from attnscope.metrics.question import Asking, Case, Without


def log_odds(case: Case) -> Asking:
    """mean over bins k of log p(y | x without its k strongest words) − log p(y | x); lower is better.

    In nats, over the bins of `comprehensiveness` (Chen and Ji 2020, arXiv:2010.00667; the name is theirs: it is a ratio
    of probabilities, not of odds). Unlike a difference of probabilities it has no floor: one text can outweigh many.
    """
    found = yield Without((frozenset(), *taken(case)))
    return float((found[1:] - found[0]).mean())
