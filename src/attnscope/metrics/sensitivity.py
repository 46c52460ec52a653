"""Sensitivity: how far the scores move when the model's embeddings move a little."""

import numpy as np

from attnscope.metrics.question import UNDEFINED, Again, Asking, Case

RADIUS = 0.02
DRAWS = 3


def sensitivity(case: Case) -> Asking:
    """max over draws of |scores after − scores| / |scores|, L2; lower is better.

    In each of 3 draws every embedding moves in a random direction by 2 % of its length (Yeh et al. 2019,
    arXiv:1901.09392). It says that a method is stable, not that it is right: scores that look at neither model nor text
    have 0. Not defined where all scores are 0. It costs three more explanations.
    """
    size = np.linalg.norm(case.scores)
    farthest = 0.0
    for seed in range(DRAWS):
        after = yield Again("nearby", seed, RADIUS)
        farthest = max(farthest, float(np.linalg.norm(after - case.scores)))
    return farthest / float(size) if size > 0 else UNDEFINED
