"""Metrics of citation: by hand, and the methods in their order."""

from typing import Any

import numpy as np
import pytest

import attnscope as ats
from attnscope.errors import InputError
from attnscope.studies.citation.judging import _on_top, lds, unseen
from attnscope.studies.citation.surrogate import drawn

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
    assert lds(np.ones((1, 3)), kept, scores @ kept.T) == 0, "how many are kept is nothing that equal scores say"
    assert np.isnan(lds(scores, kept, np.ones((1, 4))))


def test_exact_effects_have_the_largest_top_1_drop(llama: ats.Model) -> None:
    found = ats.evaluate_citation(llama, SETS, masks=(16,), top=(1, 3, 5), sets=16)
    gradients = ("gradient", "mask_gradient", "gim")
    assert found.methods == ("deletion", "deletion, halves", "surrogate 16", "heads, alike", *gradients, "random")
    assert found.metrics == ("LDS", "top-1 drop", "top-3 drop", "found", "deletion's top")
    assert found.mean("deletion", "deletion's top") == (1, 1, 1)
    assert found.mean("random", "deletion's top")[0] < 1
    for row in found.rows:
        best = next(one for one in found.rows if one.question == row.question and one.method == "deletion")
        assert row.values["top-1 drop"] <= best.values["top-1 drop"] + 1e-6
    mean, low, high = found.mean("deletion", "top-1 drop")
    assert low <= mean <= high
    passes = [row.passes for row in found.rows[:8]]
    assert passes[:1] + passes[3:] == [5, 1, 2, 2, 2, 0]
    assert passes[2] <= 17, "a set that is drawn twice runs once"
    assert "surrogate 16" in found.table()
    assert len(found.columns()["LDS"]) == 16
    assert np.isnan(found.columns()["found"]).sum() == 8


@pytest.mark.parametrize(("sources", "masks"), [(6, 32), (8, 64), (16, 256)])
def test_lds_is_judged_on_sets_that_no_surrogate_saw(sources: int, masks: int) -> None:
    for seed in range(5):
        fitted = {tuple(row) for row in drawn(np.random.default_rng(seed), masks, sources)}
        kept = unseen([8, masks], sources, 32, seed)
        assert kept.shape == (32, sources)
        assert not fitted & {tuple(row) for row in kept}


def test_few_sources_and_many_masks_leave_nothing_to_judge_by() -> None:
    with pytest.raises(InputError, match="fewer masks, or more passages"):
        unseen([256], 3, 8, 0)
    with pytest.raises(InputError, match="fewer masks, or more passages"):
        unseen([256], 6, 16, 0)
    assert len(unseen([], 3, 8, 0)) == 8


def test_some_methods_give_what_they_give_among_all(llama: ats.Model) -> None:
    """What is shared between methods changes no number, and no count of passes."""
    every = ats.evaluate_citation(llama, SETS, masks=(8, 16), sets=12)
    some = ats.evaluate_citation(llama, SETS, methods=["gim", "surrogate"], masks=(8, 16), sets=12)
    assert some.methods == ("gim", "surrogate 8", "surrogate 16", "random")
    for row in some.rows[:3] + some.rows[4:7]:
        (other,) = [one for one in every.rows if (one.question, one.method) == (row.question, row.method)]
        assert other.passes == row.passes
        values = {name: other.values[name] for name in row.values}
        assert values == pytest.approx(row.values, abs=1e-4, nan_ok=True)
    with pytest.raises(InputError, match="choose from deletion, surrogate, heads, gradient"):
        ats.evaluate_citation(llama, SETS, methods=["magic"])


def test_the_order_of_the_methods_changes_no_number(llama: ats.Model) -> None:
    """What is held against deletion is so too where deletion comes later."""
    one = ats.evaluate_citation(llama, SETS[:1], methods=["heads", "deletion"], sets=12)
    other = ats.evaluate_citation(llama, SETS[:1], methods=["deletion", "heads"], sets=12)
    for row in one.rows[:-1]:
        (same,) = [r for r in other.rows if r.method == row.method]
        assert (dict(same.values), same.passes) == (dict(row.values), row.passes)
    assert "deletion's top" in one.rows[0].values


def test_few_passages_are_enough_where_no_surrogate_is_judged(llama: ats.Model) -> None:
    asked = {"question": "x", "passages": ["a b c", "d e"], "answer": "m n"}
    assert ats.evaluate_citation(llama, [asked], methods="heads", sets=8).methods == ("heads, alike", "random")
    with pytest.raises(InputError, match="fewer masks, or more passages"):
        ats.evaluate_citation(llama, [asked], methods=["surrogate"], sets=8)
    with pytest.raises(InputError, match="too few for LDS"):
        ats.evaluate_citation(llama, [asked | {"passages": ["a b"]}], methods=["heads"], sets=8)


@pytest.mark.parametrize("truth", ["1", 4, -1, 1.0, True])
def test_a_truth_that_is_no_passage_is_refused(llama: ats.Model, truth: object) -> None:
    with pytest.raises(InputError, match="give the index of the passage with the answer, 0 to 3"):
        ats.evaluate_citation(llama, [SETS[0] | {"truth": truth}], methods=["heads"], sets=8)


def test_what_cannot_be_asked_is_refused(llama: ats.Model) -> None:
    equal = ats.HeadWeights("x", ((0, 4), (1, 4), (2, 4)), (1.0,) * 12, learnt_from=1, r_squared=0.0)
    for asked, says in (
        ({"weights": equal}, "which is not among the methods"),
        ({"top": [0]}, "top: 0 is no whole number above 0"),
        ({"sets": 0}, "sets: 0 is no whole number above 0"),
        ({"questions": [{"query": "x"}]}, "question 0 of the list is none: give"),
    ):
        given: dict[str, Any] = {"questions": SETS, "methods": ["gradient"]} | asked
        with pytest.raises(InputError, match=says):
            ats.evaluate_citation(llama, **given)
    with pytest.raises(InputError, match="question 0 of the list is none: give"):
        ats.learn_heads(llama, ["x"])  # type: ignore[list-item]


def test_sources_with_the_same_score_share_the_first_place() -> None:
    assert [_on_top(np.array([2.0, 2.0, 1.0, 0.0]), i) for i in range(4)] == [0.5, 0.5, 0, 0]
    assert _on_top(np.zeros(4), 0) == 0.25, "equal scores find nothing, also where the first is the right one"


def test_no_questions() -> None:
    with pytest.raises(InputError, match="no questions"):
        ats.evaluate_citation(None, [])  # type: ignore[arg-type]
