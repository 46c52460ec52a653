"""Sums over texts are those of numpy, in whatever parts they come."""

import numpy as np
import pytest
from drawn_results import head_profiles

from attnscope.errors import InputError, RangeError
from attnscope.results.corpus.head_profiles import PROFILE, HeadProfiles, HeadSums

PLACES = ((0, 0), (0, 1), (2, 0))
NAMES = ("entropy", "previous")


def _values(texts: int) -> np.ndarray:  # type: ignore[type-arg]
    values = np.random.default_rng(1).random((texts, 2, 3))
    values[::3, 1, 1] = np.nan
    return values


def _sums(values: np.ndarray, first: int = 0) -> HeadSums:  # type: ignore[type-arg]
    sums = HeadSums(NAMES, PLACES)
    for number, one in enumerate(values, first):
        sums.add(one, number)
    return sums


def test_streamed_means_and_intervals_are_those_of_all_texts_at_once() -> None:
    values = _values(50)
    sums = _sums(values)
    count = (~np.isnan(values)).sum(0)
    np.testing.assert_array_equal(sums.count, count)
    np.testing.assert_allclose(sums.mean, np.nanmean(values, 0))
    half = 1.959964 * np.nanstd(values, 0, ddof=1) / np.sqrt(count)
    np.testing.assert_allclose(sums.interval()[0], np.nanmean(values, 0) - half, rtol=1e-6)
    order = np.argsort(-values[:, 0, 2])[:3]
    assert sums.numbers[0, 2].tolist() == order.tolist()


def test_parts_come_to_the_same() -> None:
    values = _values(50)
    whole, merged = _sums(values), _sums(values[:20])
    merged.merge(_sums(values[20:], 20))
    np.testing.assert_allclose(merged.mean, whole.mean)
    np.testing.assert_allclose(merged.m2, whole.m2)
    np.testing.assert_array_equal(merged.numbers, whole.numbers)
    with pytest.raises(InputError, match="same model"):
        merged.merge(HeadSums(NAMES, PLACES[:2]))


def test_what_a_head_is_for() -> None:
    profiles = HeadProfiles.of([_sums(_values(9))], {number: f"text {number}" for number in range(9)}, {})
    about = profiles.head(2, 0)
    assert set(about) == set(NAMES)
    assert [one["rank"] for one in about.values()] == sorted(one["rank"] for one in about.values())
    assert about["entropy"]["low"] < about["entropy"]["mean"] < about["entropy"]["high"]
    assert len(about["entropy"]["texts"]) == 3
    assert about["entropy"]["texts"][0][1].startswith("text ")
    first = profiles.strongest_heads("previous", 1)[0]
    assert profiles.head(*first)["previous"]["rank"] == 1
    with pytest.raises(RangeError, match=r"no head 1\.0"):
        profiles.head(1, 0)
    with pytest.raises(InputError, match="entropy, previous"):
        profiles.strongest_heads("kindness")


def test_a_statistic_without_texts_has_no_number() -> None:
    profiles = head_profiles()
    assert np.isnan(profiles.mean[1, 2])
    assert "previous" not in profiles.head(3, 0)
    one = HeadProfiles.of([_sums(_values(2)[1:])], {}, {})
    assert np.isnan(one.low).all(), "one text has no interval"


def test_two_models_side_by_side() -> None:
    table = head_profiles(head_profiles()).columns()
    np.testing.assert_allclose(table["difference"][~np.isnan(table["difference"])], 0)
    assert "other" not in head_profiles().columns()
    assert all(paper.startswith("arXiv:") for _, paper in PROFILE.values())
