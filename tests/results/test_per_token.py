"""Scores of pairs: their shapes, one row as a result of its own, files and damage."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawn_results import per_byte, per_token, result

from attnscope.errors import DamagedFileError, InputError, NonFiniteError
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


def test_tokens_of_a_word_or_a_character_are_one_target() -> None:
    made = per_byte()
    for joined, texts, rows in (
        (made.by_character(), ["東", "京", "。"], [[0, 1], [2, 3], [4]]),
        (made.by_word(), ["東京", "。"], [[0, 1, 2, 3], [4]]),
    ):
        assert [target.text for target in joined.targets] == texts
        assert [target.index for target in joined.targets] == [made.targets[row[0]].index for row in rows]
        assert [target.tokens for target in joined.targets] == [len(row) for row in rows]
        for i, row in enumerate(rows):
            assert joined.targets[i].value == sum(made.targets[j].value for j in row)
            assert joined.scores[i].tolist() == made.scores[row].sum(0).tolist()
            assert joined.token_scores[i].tolist() == made.token_scores[row].sum(0).tolist()
            assert joined[i].asked.target_token == texts[i]
        assert joined.first.scores.tolist() == joined.scores[0].tolist()
        assert PerToken.from_json(joined.to_json()) == joined
        assert joined.by_word() == made.by_word()


def test_a_word_is_scored_on_its_own_earlier_tokens() -> None:
    # Also the first: its second byte is scored on its first.
    assert per_byte().by_word().read_words(0).tolist() == [True, True, True, False]
    assert per_byte().read_words(0).tolist() == [True, True, False, False]
    assert per_byte().by_word().place(0) == (3, 5)


def test_other_quantities_are_put_together_as_of_one_target() -> None:
    made = per_byte("loss").by_word()
    assert made.targets[0].value == pytest.approx((0.5 + 0.25 + 0.5 + 0.125) / 4)
    assert made.scores[0] == pytest.approx(per_byte().scores[:4].mean(0))
    assert per_byte("loss").by_character().by_word().scores[0] == pytest.approx(made.scores[0])
    made = per_byte("probability").by_character()
    assert made.targets[0].value == 0.5 * 0.25
    assert made.scores[0] == pytest.approx(per_byte().scores[0] * 0.25 + per_byte().scores[1] * 0.5)
    rows = per_byte()
    attended = replace(rows, first=replace(rows.first, family="attention")).by_word()
    assert attended.scores[0] == pytest.approx(rows.scores[:4].mean(0))


def test_errors_hold_for_sums_of_rows() -> None:
    measured = per_byte().by_word().first.measured
    assert measured.completeness_error == 0.25 * 4
    assert measured.standard_error == (0.5 * 4,) * 4


def test_targets_without_a_place_are_not_put_together() -> None:
    assert EACH.by_word() is EACH.by_character() is EACH
    elsewhere = replace(EACH, targets=tuple(replace(target, index=None) for target in EACH.targets))
    assert elsewhere.by_character() is elsewhere
    with pytest.raises(InputError, match="not in the result's text"):
        elsewhere.by_word()


def test_files_without_the_number_of_tokens_load() -> None:
    data = EACH.to_dict()
    for target in data["targets"]:
        del target["tokens"]
    assert PerToken.from_json(json.dumps(data)) == EACH
