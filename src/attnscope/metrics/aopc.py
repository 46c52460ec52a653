"""AOPC: the prediction's mean fall while the strongest words go one by one."""

from attnscope.metrics.bins import changes, path
from attnscope.metrics.question import Asking, Case


def aopc(case: Case) -> Asking:
    """1/(n+1) · Σ_{k=0..n} p(y | x) − p(y | x without its k strongest words); higher is better.

    The area over the perturbation curve, a difference of probabilities, -1 to 1, over all n words (Samek et al. 2017,
    arXiv:1509.06321). Its possible range depends on model and text: compare methods, not data sets, or use
    `normalised_aopc`.
    """
    return float((yield from changes(path(case))).mean())
