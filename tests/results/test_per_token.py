"""Scores of pairs: their shapes, one row as a result of its own, files and damage."""

import json
from typing import Any

import numpy as np
import pytest
from drawn_results import per_token, result

from attnscope.errors import DamagedFileError, NonFiniteError
from attnscope.results.per_token import PerToken

EACH = per_token(result("a castle on the hill"), 3, mass=0.25)


def test_a_row_is_a_result_of_its_own() -> None:
    rows = list(EACH)
    assert len(rows) == len(EACH) == 3
    for number, (row, target) in enumerate(zip(rows, EACH.targets, strict=True)):
        assert row.scores.tolist() == EACH.scores[number].tolist()
        assert row.token_scores.tolist() == EACH.token_scores[number].tolist()
        assert (row.asked.target_token, row.measured.value) == (target.text, target.value)
        assert row.asked.target == EACH.first.asked.target
        special = [t.score for t in row.tokens if t.special]
        assert row.excluded_mass == pytest.approx(sum(special))
        assert EACH.read_words(number).tolist() == [w.start < row.tokens[target.index].start for w in row.words]
    assert all(row.excluded_mass is None for row in per_token(result("a b c d")))


def test_files_come_back() -> None:
    assert PerToken.from_json(EACH.to_json()) == EACH
    assert hash(PerToken.from_json(EACH.to_json())) == hash(EACH)
    assert repr(EACH) == "<PerToken gradient: 3 target tokens × 5 words>"
    assert per_token(result("a castle on the hill"), 3, signed=True) != EACH


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        PerToken(EACH.first, EACH.targets[:2], EACH.token_scores, EACH.scores)
    with pytest.raises(ValueError, match="expected"):
        PerToken(EACH.first, (), EACH.token_scores[:0], EACH.scores[:0])
    broken = np.where(EACH.token_scores > 0.5, np.nan, EACH.token_scores)
    with pytest.raises(NonFiniteError, match=r"target token .*float32"):
        PerToken(EACH.first, EACH.targets, broken, EACH.scores)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"first": {}}, "no schema number"),
        ({"targets": [{"text": "a", "index": "0", "value": 1.0}] * 3}, "target 0: 'index'"),
        ({"targets": []}, "expected"),
        ({"token_scores": [[1.0]]}, "expected"),
        ({"word_scores": "none"}, "could not convert"),
    ],
)
def test_damage_is_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(DamagedFileError, match=f"x.json is no result that can be read: .*{says}"):
        PerToken.from_json(json.dumps(EACH.to_dict() | changes), "x.json")
