"""Sanity: does the explanation behave as an explanation of this model must?

Passing these tests does not make a method right; failing one shows that something is wrong.
"""

import numpy as np

from attnscope.metrics.query import UNDEFINED, Explanation, MetricGenerator, ScoresOn, TargetValue
from attnscope.results.statistics import spearman

# How far `sensitivity` moves each embedding, as a share of its length, and how often.
RADIUS = 0.02
DRAWS = 3


def completeness_error(explanation: Explanation) -> MetricGenerator:
    """|Σ scores − (F(x) − F(x without all words))| / |F(x) − F(x without all words)|; lower is better.

    From 0, a share of the change; F is what the methods explain, and words are removed as everywhere in the evaluation
    (completeness: Sundararajan et al. 2017, arXiv:1703.01365). It misleads for a method with a baseline of its own: it
    is measured against this baseline, and the method's own completeness error is in its result. Not defined for
    unsigned scores, which do not claim to add up, nor where the change is 0.
    """
    if not explanation.signed:
        return UNDEFINED
    whole, nothing = yield TargetValue((frozenset(), explanation.all_words))
    change = float(whole - nothing)
    return abs(float(explanation.scores.sum()) - change) / abs(change) if change else UNDEFINED


def sensitivity(explanation: Explanation) -> MetricGenerator:
    """max over draws of |scores on the moved model − scores| / |scores|, in L2; lower is better.

    From 0. In each of 3 draws every embedding moves in a random direction by 2 % of its length (Yeh et al. 2019,
    arXiv:1901.09392). It shows that a method is stable, not that it is right: scores that depend on neither the model
    nor the text get 0. Not defined where all scores are 0. It costs three more explanations.
    """
    size = np.linalg.norm(explanation.scores)
    largest_move = 0.0
    for seed in range(DRAWS):
        moved_scores = yield ScoresOn("nearby", seed, RADIUS)
        largest_move = max(largest_move, float(np.linalg.norm(moved_scores - explanation.scores)))
    return largest_move / float(size) if size > 0 else UNDEFINED


def randomisation(explanation: Explanation) -> MetricGenerator:
    """|Spearman's rank correlation| of the scores' magnitudes with those on a randomised model; lower is better.

    From 0 to 1. The randomised model has the same numbers in each weight matrix, in another order: scores that stay the
    same do not come from the model (Adebayo et al. 2018, arXiv:1810.03292). Chance alone gives about 0.8 / √(n − 1) for
    n words. It does not show that a method is right. Not defined where either model's scores are all the same. It costs
    one more explanation.
    """
    randomised_scores = yield ScoresOn("randomised")
    correlation = spearman(np.abs(explanation.scores), np.abs(randomised_scores))
    return abs(correlation) if not np.isnan(correlation) else UNDEFINED
