"""Agreement: against Spearman by its definition, laws, and refusals."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import attnscope as ats
from attnscope.errors import InputError
from attnscope.results.attribution import Attribution, Word
from attnscope.results.statistics import ranks

LETTERS = "abcdefgh"


def made(scores: list[float], method: str = "one", text: str = LETTERS) -> Attribution:
    words = tuple(Word(text[i], i, i + 1, score) for i, score in enumerate(scores))
    return Attribution(method, "gradient", text, (), words)


def test_spearman_of_distinct_ranks_is_one_minus_six_d_squared() -> None:
    one, two = [3.0, 1.0, 4.0, 1.5, 9.0], [2.0, 7.0, 1.0, 8.0, 2.5]
    differences = ranks(np.array(one)) - ranks(np.array(two))
    expected = 1 - 6 * (differences**2).sum() / (5 * (25 - 1))
    assert ats.agreement([made(one), made(two, "two")]).rank[0, 1] == pytest.approx(expected)


def test_overlap_counts_shared_top_words() -> None:
    found = ats.agreement([made([9, 8, 1, 0]), made([0, 9, 8, 1], "two")], top=2)
    assert found.overlap.tolist() == [[1.0, 0.5], [0.5, 1.0]]


def test_magnitudes_or_scores() -> None:
    pair = [made([-3, 1, 2]), made([3, 1, 2], "two")]
    assert ats.agreement(pair).rank[0, 1] == pytest.approx(1)
    assert ats.agreement(pair, by="score").rank[0, 1] < 1


def test_equal_scores_have_no_ranks_to_compare() -> None:
    found = ats.agreement([made([1, 1, 1]), made([3, 1, 2], "two")])
    assert np.isnan(found.rank[0, 1])
    assert "—" in found.table()
    assert "null" in found.to_json()


def test_a_method_that_comes_twice_is_numbered() -> None:
    found = ats.agreement([made([1, 2]), made([2, 1]), made([1, 3], "two")])
    assert found.names == ("one 1", "one 2", "two")
    assert all(name in found.table() for name in found.names)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=8), st.integers(0, 99))
def test_laws(scores: list[float], seed: int) -> None:
    other = np.random.default_rng(seed).permutation(scores).tolist()
    found = ats.agreement([made(scores), made(other, "two")], by="score")
    same = ats.agreement([made(scores), made([s * 2 for s in scores], "two")], by="score")
    if len(set(scores)) > 1:
        assert same.rank == pytest.approx(1.0)
        assert found.rank[0, 1] == pytest.approx(found.rank[1, 0])
        assert -1 <= found.rank[0, 1] <= 1
    assert (found.overlap == found.overlap.T).all()
    assert (np.diag(found.overlap) == 1).all()


@pytest.mark.parametrize(
    ("results", "options", "says"),
    [
        ([made([1, 2])], {}, "two or more"),
        ([made([1, 2]), made([1, 2, 3])], {}, "different words"),
        ([made([1, 2]), made([1, 2], text="xy")], {}, "different words"),
        ([made([1, 2]), made([2, 1])], {"top": 3}, "has 2 words"),
        ([made([1, 2]), made([2, 1])], {"by": "size"}, "magnitude"),
        ([made([]), made([])], {}, "no words"),
    ],
)
def test_refusals(results: list[Attribution], options: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        ats.agreement(results, **options)
