"""Completeness error: by how much the scores miss the change that they are to add up to."""

from attnscope.metrics.question import UNDEFINED, Asking, Case, Explained


def completeness_error(case: Case) -> Asking:
    """|Σ scores − (F(x) − F(x without all words))| / |F(x) − F(x without all words)|; lower is better.

    F is what the methods explain, without words in the evaluation's own way (Sundararajan et al. 2017,
    arXiv:1703.01365). A method that adds up from a baseline of its own is held against this one; its own error stands
    in its result. For signed scores only: the others do not claim to add up.
    """
    if not case.signed:
        return UNDEFINED
    whole, nothing = yield Explained((frozenset(), case.all))
    change = float(whole - nothing)
    return abs(float(case.scores.sum()) - change) / abs(change) if change else UNDEFINED
