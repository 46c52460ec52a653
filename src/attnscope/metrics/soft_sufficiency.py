"""Soft sufficiency: every word keeps as much of its embedding as it is said to matter."""

from attnscope.metrics.question import UNDEFINED, Asking, Case
from attnscope.metrics.soft import softly


def soft_sufficiency(case: Case) -> Asking:
    """1 − max(0, p(y | x) − p(y | x softened)) / (p(y | x) − p(y | words of zeros)); higher is better.

    Each number of a word's embedding stays with the probability of the word's min–max scaled score, else it is zero
    (Zhao and Aletras 2023, arXiv:2305.10496; their normalised form); the mean over 4 draws. Unlike `sufficiency` higher
    is better. Not defined where words of zeros do not lower the prediction.
    """
    whole, softened, nothing = yield from softly(case, keep_strong=True)
    return 1 - max(0.0, whole - softened) / (whole - nothing) if whole > nothing else UNDEFINED
