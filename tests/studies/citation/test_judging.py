"""Metrics of citation: by hand, and the methods in their order."""

import numpy as np
import pytest

import attnscope as ats
from attnscope.errors import InputError
from attnscope.studies.citation.judging import lds

SETS = [
    {"question": "x", "passages": ["a b c", "d e", "f g h", "i"], "answer": "m n", "truth": 1},
    {"question": "y", "passages": ["h i j", "k l", "a b", "c"], "answer": "o\np"},
]


def test_lds_by_hand() -> None:
    kept = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])
    scores = np.array([[3.0, 1.0, 0.0]])
    assert lds(scores, kept, scores @ kept.T) == pytest.approx(1)
    assert lds(scores, kept, -scores @ kept.T) == pytest.approx(-1)
    assert lds(np.ones((1, 3)) * 0, kept, scores @ kept.T) == 0
    assert np.isnan(lds(scores, kept, np.ones((1, 4))))


def test_exact_effects_have_the_largest_top_1_drop(llama: ats.Model) -> None:
    found = ats.evaluate_citation(llama, SETS, masks=(16,), top=(1, 3, 5), sets=16)
    assert found.methods == ("deletion", "surrogate 16", "heads, alike", "random")
    assert found.metrics == ("LDS", "top-1 drop", "top-3 drop", "found")
    for row in found.rows:
        best = next(one for one in found.rows if one.question == row.question and one.method == "deletion")
        assert row.values["top-1 drop"] <= best.values["top-1 drop"] + 1e-6
    mean, low, high = found.mean("deletion", "top-1 drop")
    assert low <= mean <= high
    passes = [row.passes for row in found.rows[:4]]
    assert passes[:1] + passes[2:] == [5, 1, 0]
    assert passes[1] <= 17, "a set that is drawn twice runs once"
    assert "surrogate 16" in found.table()
    assert len(found.columns()["LDS"]) == 8
    assert np.isnan(found.columns()["found"]).sum() == 4


def test_no_questions() -> None:
    with pytest.raises(InputError, match="no questions"):
        ats.evaluate_citation(None, [])  # type: ignore[arg-type]
