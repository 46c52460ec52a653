"""Agreement with people in which words come first."""

import numpy as np

from attnscope.metrics.question import UNDEFINED, Case


def human_precision(case: Case) -> float:
    """Average precision of the words by the size of their scores: those that people mark are right; higher is better.

    Above 0, to 1 (Atanasova et al. 2020, arXiv:2009.13295); words of one score come together. Of
    words in random order it is about the share of marked words. As to faithfulness see `human_correlation`. Not defined
    where people mark no word, or every word.
    """
    if case.human is None or not 0 < (case.human > 0).sum() < len(case.human):
        return UNDEFINED
    sizes, marked = np.abs(case.scores), case.human > 0
    # Words of one score take one step of the curve together.
    found = 0.0
    for size in np.unique(sizes[marked]):
        chosen = sizes >= size
        found += (marked & (sizes == size)).sum() / marked.sum() * marked[chosen].mean()
    return float(found)
