"""Agreement with people: by hand, and against scipy and the textbook."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from attnscope.metrics.people import human_correlation, human_overlap, human_precision
from attnscope.metrics.query import Explanation
from attnscope.results.statistics import spearman

HUMAN = np.array([0, 0, 3.0, 1.0, 0, 0])


def test_agreement_with_people() -> None:
    perfect = Explanation(np.array([0.1, 0.2, -0.9, 0.8, 0.15, 0.05]), True, HUMAN)
    reverse = Explanation(1 - np.abs(perfect.scores), False, HUMAN)
    assert human_precision(perfect) == 1.0
    assert human_overlap(perfect) == 1.0
    assert human_overlap(reverse) == 0.0
    # By hand: the marked words come fifth and sixth.
    assert human_precision(reverse) == pytest.approx((1 / 5 + 2 / 6) / 2)
    assert human_correlation(Explanation(HUMAN + 1, False, HUMAN)) == pytest.approx(1)
    assert human_correlation(Explanation(-HUMAN - 1, False, HUMAN)) == pytest.approx(1), "magnitudes count"
    assert human_correlation(Explanation(5 - HUMAN, False, HUMAN)) == pytest.approx(-1)


def test_words_with_the_same_score_come_together() -> None:
    assert human_precision(Explanation(np.ones(6), False, HUMAN)) == pytest.approx(2 / 6)


def test_where_it_is_not_defined() -> None:
    scores = np.arange(6.0)
    for metric in (human_correlation, human_precision, human_overlap):
        assert np.isnan(metric(Explanation(scores, True))), "nobody was asked"
        assert np.isnan(metric(Explanation(scores, True, np.zeros(6)))), "no word is marked"
    for metric in (human_precision, human_overlap):
        assert np.isnan(metric(Explanation(scores, True, np.ones(6)))), "every word is marked"


@pytest.mark.parametrize("seed", range(4))
def test_they_are_scipys_and_the_textbooks(seed: int) -> None:
    generator = np.random.default_rng(seed)
    scores, human = generator.normal(size=12), np.maximum(0, generator.normal(size=12))
    explanation = Explanation(scores, True, human)
    assert human_correlation(explanation) == pytest.approx(spearmanr(np.abs(scores), human).statistic)
    hits = [human[i] > 0 for i in np.argsort(-np.abs(scores))]
    precision = np.mean([np.mean(hits[: k + 1]) for k in range(12) if hits[k]])
    assert human_precision(explanation) == pytest.approx(precision)


def test_spearman_of_equal_scores_is_scipys_and_of_constant_ones_nan() -> None:
    left, right = np.array([1.0, 1, 2, 3, 3, 3]), np.array([2.0, 1, 1, 5, 4, 4])
    assert spearman(left, right) == pytest.approx(spearmanr(left, right).statistic)
    assert np.isnan(spearman(left, np.ones(6)))
