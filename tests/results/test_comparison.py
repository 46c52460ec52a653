"""Two results opposite each other: pairs, shares, verdicts, summaries, files and damage."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawn_results import comparison, result

from attnscope.errors import DamagedFileError
from attnscope.results.comparison import ComparedSide, Comparison, Comparisons

PAIR = comparison("the old castle stood", "the castle stod here")


def test_shares_and_ranks_by_hand() -> None:
    side = ComparedSide("a", result("a b c d", [1.0, -2.0, 0.0, 1.0]))
    assert side.shares.tolist() == [0.25, 0.5, 0.0, 0.25]
    assert side.ranks == (2, 1, 4, 2)
    assert side.prediction is None
    assert ComparedSide("a", result("a b", [0.0, 0.0])).shares.tolist() == [0.5, 0.5]


def test_pairs_say_edits_changes_and_places() -> None:
    assert [pair.edit for pair in PAIR.pairs] == ["same", "deleted", "same", "changed", "inserted"]
    left, right = PAIR.left.result.scores, PAIR.right.result.scores
    for pair in PAIR.pairs:
        after, before = (0.0 if i is None else s[i] for s, i in ((right, pair.right), (left, pair.left)))
        assert pair.change == pytest.approx(after - before)
        gap = pair.left is None or pair.right is None
        assert pair.rank_change == (None if gap else PAIR.left.ranks[pair.left] - PAIR.right.ranks[pair.right])
    assert [pair.restores for pair in PAIR.edits] == [0.1, pytest.approx(0.3), 0.4]
    assert [pair.restores for pair in PAIR.culprits] == [0.4, pytest.approx(0.3), 0.1]
    moved = PAIR.right.shares[[2, 3]].sum() - PAIR.left.shares[[1, 3]].sum()
    assert PAIR.moved == pytest.approx(moved)


def test_verdicts() -> None:
    assert PAIR.flipped
    assert (PAIR.right_or_wrong(PAIR.left), PAIR.right_or_wrong(PAIR.right)) == (True, False)
    assert replace(PAIR, expected=None).right_or_wrong(PAIR.left) is None


def test_summaries_group_by_tag() -> None:
    one, two = replace(PAIR, tags={"attack": "typo"}), replace(PAIR, tags={"attack": "swap"}, right=PAIR.left)
    typo, swap, every = Comparisons((one, two)).summaries()
    assert (typo.name, typo.count, typo.before, typo.after, typo.flips) == ("typo", 1, 1.0, 0.0, 1.0)
    assert (swap.after, swap.flips) == (1.0, 0.0)
    assert (every.name, every.count, every.after, every.flips) == ("all", 2, 0.5, 0.5)
    assert np.isclose(every.moved, (one.moved + two.moved) / 2)
    assert Comparisons(()).summaries()[0].before is None


def test_files_come_back() -> None:
    assert Comparison.from_json(PAIR.to_json()) == PAIR
    many = Comparisons((PAIR, comparison(attack="typo")))
    assert Comparisons.from_json(many.to_json()) == many
    assert Comparisons.from_json(Comparisons(()).to_json()) == Comparisons(())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pairs": []}, "do not name every word once"),
        ({"pairs": [{"left": 0}]}, "pair 0: 'edit'"),
        ({"left": {"name": "a"}}, "'result' is missing"),
        ({"right": None}, "'NoneType'"),
        ({"tags": None}, "'NoneType'"),
    ],
)
def test_damage_is_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(DamagedFileError, match=f"x.json is no result that can be read: .*{says}"):
        Comparison.from_json(json.dumps(PAIR.to_dict() | changes), "x.json")
