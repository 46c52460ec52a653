"""Soft comprehensiveness: every word loses as much of its embedding as it is said to matter."""

from attnscope.metrics.question import UNDEFINED, Asking, Case
from attnscope.metrics.soft import softly


def soft_comprehensiveness(case: Case) -> Asking:
    """max(0, p(y | x) − p(y | x softened)) / max(0, p(y | x) − p(y | words of zeros)); higher is better.

    Each number of a word's embedding is set to zero with the probability of the word's min–max scaled score (Zhao and
    Aletras 2023, arXiv:2305.10496); the mean over 4 draws. No bins, so all scores count and not their order alone. Not
    defined where words of zeros do not lower the prediction.
    """
    whole, softened, nothing = yield from softly(case, keep_strong=False)
    return max(0.0, whole - softened) / (whole - nothing) if whole > nothing else UNDEFINED
