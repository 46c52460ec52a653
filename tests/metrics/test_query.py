"""What a metric sees of an explanation."""

import numpy as np

from attnscope.metrics.query import Explanation, LogProbability, SoftenedLogProbability


def test_the_order_is_by_signed_score_and_equal_scores_stay_in_the_order_of_the_text() -> None:
    explanation = Explanation(np.array([0.5, -2.0, 0.5, 1.0]), signed=True)
    assert explanation.order == (3, 0, 2, 1)
    assert explanation.all_words == {0, 1, 2, 3}


def test_equal_queries_are_one_key() -> None:
    """What is asked twice is found again by the query itself."""
    sets = (frozenset({1, 2}), frozenset())
    assert LogProbability(sets) == LogProbability((frozenset({2, 1}), frozenset()))
    assert len({SoftenedLogProbability((1.0, 0.0), 4, 0), SoftenedLogProbability((1.0, 0.0), 4, 0)}) == 1
