"""Agreement with people: does the explanation point at the words that people find important?

Agreement shows that an explanation pleases people, not that it is faithful: a model may rely on other words. Scores
count by their magnitude, as people mark words for and against alike.
"""

import numpy as np
from numpy.typing import NDArray

from attnscope.metrics.query import UNDEFINED, Explanation
from attnscope.results.statistics import spearman


def human_correlation(explanation: Explanation) -> float:
    """Spearman's rank correlation of the scores' magnitudes with human importance; higher is better.

    From -1 to 1 (Atanasova et al. 2020, arXiv:2009.13295, with DeYoung et al. 2020). It says nothing about
    faithfulness: a model may rely on other words than people do. Not defined where nobody was asked, or where either
    side gives all words the same value.
    """
    return UNDEFINED if explanation.human is None else spearman(np.abs(explanation.scores), explanation.human)


def human_precision(explanation: Explanation) -> float:
    """Average precision of the words that people mark, ranked by the scores' magnitudes; higher is better.

    Above 0, up to 1 (Atanasova et al. 2020, arXiv:2009.13295); words with the same score share a place. Words in random
    order get about the share of marked words. On faithfulness, see `human_correlation`. Not defined where people mark
    no word, or every word.
    """
    marked = _marked_words(explanation)
    if marked is None:
        return UNDEFINED
    sizes = np.abs(explanation.scores)
    precision = 0.0
    for size in np.unique(sizes[marked]):
        # Words with the same score are one step of the precision–recall curve.
        step = (marked & (sizes == size)).sum() / marked.sum()
        precision += step * marked[sizes >= size].mean()
    return float(precision)


def human_overlap(explanation: Explanation) -> float:
    """|top k ∩ marked| / |top k ∪ marked|, where k is the number of words that people mark; higher is better.

    From 0 to 1: the intersection over union of the marked words and the k words with the scores of largest magnitude
    (DeYoung et al. 2020, arXiv:1911.03429). On faithfulness, see `human_correlation`. Not defined where people mark no
    word, or every word.
    """
    is_marked = _marked_words(explanation)
    if is_marked is None:
        return UNDEFINED
    marked = frozenset(np.flatnonzero(is_marked).tolist())
    top = frozenset(np.argsort(-np.abs(explanation.scores), kind="stable")[: len(marked)].tolist())
    return len(top & marked) / len(top | marked)


def _marked_words(explanation: Explanation) -> NDArray[np.bool_] | None:
    """Which words people mark, (word,); None where nobody was asked, or no word or every word is marked."""
    if explanation.human is None:
        return None
    marked = explanation.human > 0
    return marked if 0 < marked.sum() < len(marked) else None
