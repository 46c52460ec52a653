"""Model randomisation: scores that stay the same on shuffled weights do not come from the model."""

import numpy as np

from attnscope.metrics.correlation import spearman
from attnscope.metrics.question import UNDEFINED, Again, Asking, Case


def randomisation(case: Case) -> Asking:
    """|Rank correlation| (Spearman) of the scores' sizes with those on a model of shuffled weights; lower is better.

    0 to 1; the randomised model has the same numbers in each weight matrix in another order (Adebayo et al. 2018,
    arXiv:1810.03292). Chance alone gives about 0.8 / √(n − 1) for n words. It does not say that a method is right. Not
    defined where either scores all words the same. It costs one more explanation.
    """
    after = yield Again("randomised")
    found = spearman(np.abs(case.scores), np.abs(after))
    return abs(found) if not np.isnan(found) else UNDEFINED
