"""Agreement with people in the order of all words."""

import numpy as np

from attnscope.metrics.correlation import spearman
from attnscope.metrics.question import UNDEFINED, Case


def human_correlation(case: Case) -> float:
    """Spearman's rank correlation of the sizes of the scores with human importance; higher is better.

    -1 to 1 (Atanasova et al. 2020, arXiv:2009.13295, with DeYoung et al. 2020). It says that an explanation pleases
    people, not that it is faithful: a model may rely on other words. Not defined where either has no order.
    """
    return UNDEFINED if case.human is None else spearman(np.abs(case.scores), case.human)
