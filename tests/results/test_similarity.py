"""Similarities as data: files, tables, what they add up to."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_results import similar

import attnscope as ats
from attnscope.errors import DamagedFileError, NonFiniteError

ONE = similar("a castle on the hill", "the fortress")


def test_it_is_saved_and_loaded_bit_for_bit(tmp_path: Path) -> None:
    ONE.save(tmp_path / "one.json")
    again = ats.load_result(tmp_path / "one.json")
    assert isinstance(again, ats.Similarity)
    assert (again.left, again.right) == (ONE.left, ONE.right)
    for name in ("scores", "token_scores", "left_alone", "right_alone"):
        np.testing.assert_array_equal(getattr(again, name), getattr(ONE, name))
    assert (again.base, again.to_baseline, again.error) == (ONE.base, ONE.to_baseline, ONE.error)


def test_what_it_adds_up_to() -> None:
    assert ONE.expected == 0.5 - 0.25 - 0.125 + 0.75
    assert ONE.error == pytest.approx(abs(ONE.token_scores.sum() - 0.875))
    assert [pair[:2] for pair in ONE.strongest(2)] == [(4, 1), (4, 0)]
    assert repr(ONE).startswith("<Similarity 0.5 (cosine similarity); top: 'hill'–'fortress' 0.4")


def test_its_tables() -> None:
    words, tokens = ONE.columns(), ONE.columns("tokens")
    assert words["left"].tolist()[:3] == ["a", "a", "castle"]
    assert words["right"].tolist()[:3] == ["the", "fortress", "the"]
    np.testing.assert_array_equal(words["score"], ONE.scores.ravel())
    assert len(tokens["score"]) == ONE.token_scores.size


def test_damaged_files_are_named() -> None:
    data = json.loads(ONE.to_json())
    for change, says in (
        ({"scores": [[1.0]]}, r"a matrix of the shape \(1, 1\), expected \(5, 2\)"),
        ({"left_alone": [0.5]}, "scores of shapes"),
        ({"to_baseline": [0.5]}, "to_baseline"),
        ({"left": {}}, "in left"),
    ):
        with pytest.raises(DamagedFileError, match=says):
            ats.Similarity.from_json(json.dumps(data | change))
    with pytest.raises(NonFiniteError, match="overflowed"):
        replace(ONE, scores=np.full((5, 2), np.nan))
