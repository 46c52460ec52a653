"""Effects of heads: their files, their order, how far an estimate is checked."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_results import head_effects

import attnscope as ats
from attnscope.errors import DamagedFileError, NonFiniteError


def test_saved_effects_are_the_same_effects(tmp_path: Path) -> None:
    made = head_effects(2)
    made.save(tmp_path / "heads.json")
    again = ats.load_result(tmp_path / "heads.json")
    assert isinstance(again, ats.HeadEffects)
    np.testing.assert_array_equal(again.exact, made.exact)
    assert again.to_json() == made.to_json()


def test_heads_are_ranked_by_the_best_that_is_known() -> None:
    made = head_effects(2)
    assert made.ranked() == [(1, 1), (0, 0), (0, 1), (1, 0), (0, 2)]
    assert made.best[0, 2] == 0.0
    assert made.rank_correlation == pytest.approx(1.0)
    assert made.effect[0, 0] == 1.25
    low, high = made.intervals()
    assert (low[0, 0], high[0, 0]) == (0.75, 1.75)


def test_the_table_says_whether_the_estimates_are_checked() -> None:
    rows = [line.split() for line in head_effects().table().splitlines()]
    assert rows[2] == ["3.1", "+1", "+1.5"]
    assert rows[6] == ["1.2", "+0", "—"]
    assert "over the 4 of 5 heads with the strongest estimates: 1.00" in head_effects().table()
    unchecked = replace(head_effects(), exact=np.full((1, 2, 3), np.nan))
    assert "the estimates are not checked" in unchecked.table()
    assert "[+0.75, +1.75]" in head_effects(2).table()
    assert head_effects().columns()["layer"].tolist() == [1, 1, 1, 3, 3]


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(NonFiniteError):
        replace(head_effects(), estimates=np.full((1, 2, 3), np.nan))
    data = json.loads(head_effects().to_json())
    for name, value in (("exact", [[1.0]]), ("exact", [[["a", 1, 2], [1, 2, 3]]]), ("heads", None), ("heads", [3, 4])):
        with pytest.raises(DamagedFileError):
            ats.HeadEffects.from_json(json.dumps(data | {name: value}))
