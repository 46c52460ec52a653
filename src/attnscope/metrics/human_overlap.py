"""Agreement with people on the strongest words: intersection over union."""

import numpy as np

from attnscope.metrics.question import UNDEFINED, Case


def human_overlap(case: Case) -> float:
    """|top k ∩ marked| / |top k ∪ marked| with k the number of words that people mark; higher is better.

    0 to 1: IoU at k of the words by the size of their scores (DeYoung et al. 2020, arXiv:1911.03429). As to
    faithfulness see `human_correlation`. Not defined where people mark no word, or every word.
    """
    if case.human is None or not 0 < (case.human > 0).sum() < len(case.human):
        return UNDEFINED
    marked = frozenset(np.flatnonzero(case.human > 0).tolist())
    top = frozenset(np.argsort(-np.abs(case.scores), kind="stable")[: len(marked)].tolist())
    return len(top & marked) / len(top | marked)
