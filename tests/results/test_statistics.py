"""Ranks, intervals and tests: against scipy, the normal approximation and exact counts, and by definition."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from attnscope.results.statistics import holm, interval, paired, ranks, spearman, student


def test_the_interval_is_about_two_standard_errors_wide() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, 400)
    low, high = interval(values)
    error = values.std(ddof=1) / 20
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_intervals_of_many_columns_are_those_of_each() -> None:
    values = np.random.default_rng(1).random((30, 3))
    together = interval(values)
    assert together.shape == (2, 3)
    assert np.allclose(together[:, 1], interval(values[:, 1]))
    assert np.isnan(interval(np.empty((0, 3)))).all()


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    generator = np.random.default_rng(2)
    inside = 0
    for seed in range(200):
        low, high = interval(generator.exponential(1.0, 60), resamples=400, seed=seed)
        inside += low <= 1.0 <= high
    assert 0.88 <= inside / 200 <= 0.99


def test_p_is_that_of_all_changes_of_sign() -> None:
    differences = np.array([0.3, 0.1, -0.05, 0.4, 0.2, 0.15, -0.1])
    seen = abs(differences.sum())
    exact = np.mean([abs(differences @ np.array(signs)) >= seen - 1e-12 for signs in product((-1, 1), repeat=7)])
    assert paired(differences) == pytest.approx(exact, abs=0.01)


def test_p_is_small_for_a_difference_and_uniform_for_none() -> None:
    generator = np.random.default_rng(3)
    assert paired(generator.normal(1, 1, 50)) == 1 / 10_000
    found = [paired(generator.normal(0, 1, 30), flips=999, seed=i) for i in range(200)]
    assert 0.01 <= np.mean(np.array(found) < 0.05) <= 0.11
    assert np.isnan(paired([]))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, float("nan"), 0.03])[:2] == pytest.approx([0.03, 0.06])
    assert np.isnan(holm([0.01, float("nan")])[1])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_ties_share_their_mean_rank() -> None:
    assert ranks(np.array([2.0, 1.0, 2.0, 2.0])).tolist() == [3.0, 1.0, 3.0, 3.0]
    assert ranks(np.array([])).tolist() == []


@settings(deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=12), st.integers(0, 99))
def test_ranks_and_their_correlation_are_scipys(values: list[int], seed: int) -> None:
    one = np.array(values, dtype=np.float64)
    other = np.random.default_rng(seed).permutation(one)
    np.testing.assert_array_equal(ranks(one), stats.rankdata(one))
    if len(set(values)) > 1:
        assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other).statistic)
        assert spearman(one, one) == 1
    else:
        assert np.isnan(spearman(one, other))


def test_intervals_of_few_values_cover_what_they_say() -> None:
    """Normal and skewed values, 8 at a time: percentiles of the bootstrap alone cover 0.88 and 0.83."""
    generator = np.random.default_rng(0)
    for draw, mean, least in ((generator.standard_normal, 0.0, 0.905), (generator.standard_exponential, 1.0, 0.86)):
        covered = [low <= mean <= high for low, high in (interval(draw(8), resamples=400) for _ in range(500))]
        assert least < np.mean(covered) < 0.99


def test_the_quantiles_of_students_t() -> None:
    for freedom in (1, 2, 3, 5, 9, 30, 200):
        assert student(0.975, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.006)
