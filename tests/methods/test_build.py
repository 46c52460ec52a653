"""From scores to a result: what follows from what, what a method may say itself, and scores that do not fit."""

from typing import Any

import numpy as np
import pytest
import torch

import attnscope as ats
from attnscope.errors import FailureError
from attnscope.results.base import Measured

TEXT = "a b . c d"  # five tokens, two sentences


def returning(**scores: Any) -> ats.Method:
    """A method that returns these scores, whatever the text."""

    def fixed(task: ats.Task) -> ats.Scores:
        return ats.Scores(**scores)

    return ats.Method(fixed, family="own", unit="")


@pytest.mark.parametrize(
    ("scores", "asked", "says"),
    [
        ({"tokens": np.zeros(4)}, {}, "fixed scored 4 tokens of a text that has 5"),
        ({"tokens": np.zeros((1, 6))}, {}, "fixed scored 6 tokens of a text that has 5"),
        ({"units": np.zeros(3)}, {"unit": "sentence"}, "fixed scored 3 units of a text that has 2"),
        ({"tokens": np.zeros(5), "units": np.zeros(5)}, {"unit": "sentence"}, "scored 5 units of a text that has 2"),
        ({"tokens": np.zeros((2, 5))}, {}, "fixed returned 2 rows of scores for 1 targets"),
        ({"units": np.zeros((3, 5))}, {"target": " g"}, "fixed returned 3 rows of scores for 1 targets"),
        ({"tokens": np.zeros((1, 7))}, {"target": " g h", "per_token": True}, "returned 1 rows of scores for 2 targ"),
        ({"tokens": np.zeros(5)}, {"target": " g h", "per_token": True}, "fixed scored 5 tokens of a text that has 7"),
        ({"tokens": np.zeros(4)}, {"query": 0}, "fixed scored 4 tokens of a text that has 5"),
    ],
)
def test_scores_that_do_not_fit_name_the_method(
    llama: ats.Model, scores: dict[str, Any], asked: dict[str, Any], says: str
) -> None:
    with pytest.raises(FailureError, match=says):
        ats.explain(llama, TEXT, method=returning(**scores), **asked)


@pytest.mark.parametrize(
    ("scores", "asked"),
    [
        ({"tokens": np.zeros((2, 5))}, {"query": 0}),
        ({"tokens": np.zeros((1, 5))}, {"query": [0, 1]}),
        ({"tokens": np.zeros((2, 7)), "values": [1.0]}, {"target": " g h", "per_token": True}),
    ],
)
def test_rows_that_do_not_fit_the_queries_or_the_values_name_the_method(
    llama: ats.Model, scores: dict[str, Any], asked: dict[str, Any]
) -> None:
    with pytest.raises(FailureError, match="fixed returned"):
        ats.explain(llama, TEXT, method=returning(**scores), **asked)


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor])
def test_a_unit_is_the_sum_of_its_tokens(llama: ats.Model, kind: Any) -> None:
    method = returning(tokens=kind([1.0, 2.0, 3.0, 4.0, 5.0]))
    result = ats.explain(llama, TEXT, method=method, unit="sentence")
    assert result.scores.tolist() == [6, 9]
    assert result.token_scores.tolist() == [1, 2, 3, 4, 5]


def test_a_token_is_an_equal_share_of_its_unit(llama: ats.Model) -> None:
    result = ats.explain(llama, TEXT, method=returning(units=[6.0, 9.0]), unit="sentence")
    assert result.scores.tolist() == [6, 9]
    assert result.token_scores.tolist() == [2, 2, 2, 4.5, 4.5]


def test_tokens_and_units_that_were_both_scored_stay_as_they_are(llama: ats.Model) -> None:
    result = ats.explain(llama, TEXT, method=returning(tokens=np.arange(5), units=[7, -1]), unit="sentence")
    assert result.scores.tolist() == [7, -1]
    assert result.token_scores.tolist() == [0, 1, 2, 3, 4]


def test_what_the_method_found_out_itself_goes_into_the_result(llama: ats.Model) -> None:
    def telling(task: ats.Task, *, layer: int = -1, seed: int = 3) -> ats.Scores:
        return ats.Scores(
            tokens=np.ones(len(task.encoded.tokens)),
            values=[0.25],
            signed=True,
            options={"layer": 2},
            measured=Measured(r_squared=0.5),
            target="a thing",
            quantity="logit",
        )

    result = ats.explain(llama, TEXT, method=telling, target=" g")
    assert result.asked.options == {"layer": 2, "seed": 3}
    assert (result.asked.target, result.asked.quantity) == ("a thing", "logit")
    assert (result.measured.r_squared, result.measured.value) == (0.5, 0.25)
    assert result.signed
    plain = ats.explain(llama, TEXT, method=returning(tokens=np.ones(5)), target=" g")
    assert (plain.signed, plain.measured.value, plain.asked.quantity) == (False, None, "log_probability")
    assert plain.asked.target is not None


def test_the_row_says_whether_zero_is_the_middle(llama: ats.Model) -> None:
    def fixed(task: ats.Task) -> ats.Scores:
        return ats.Scores(tokens=np.ones(len(task.encoded.tokens)))

    assert ats.explain(llama, TEXT, method=ats.Method(fixed, family="own", unit="", sign="signed")).signed
    assert not ats.explain(llama, TEXT, method=ats.Method(fixed, family="own", unit="")).signed


@pytest.mark.parametrize("shares", [True, False])
def test_what_special_tokens_took_is_measured_where_scores_are_shares(llama: ats.Model, shares: bool) -> None:
    def fixed(task: ats.Task) -> ats.Scores:
        return ats.Scores(tokens=np.array([0.5, 0.2, 0.3])[: len(task.encoded.tokens)])

    method = ats.Method(fixed, family="own", unit="", shares=shares)
    result = ats.explain(llama, "[PAD] b c", method=method, target=" g")
    assert result.excluded_mass == (pytest.approx(0.5) if shares else None)
    # What lies outside the part that was asked for is no special token's.
    inside = ats.explain(llama, "[PAD] b c", method=method, target=" g", within=(6, 7))
    assert [w.text for w in inside.words] == ["b"]
    assert inside.excluded_mass == (pytest.approx(0.5) if shares else None)


def test_segments_and_where_they_lie(llama: ats.Model) -> None:
    segments = {"front": (0, 5), "back": (6, 9)}
    result = ats.explain(llama, TEXT, method=returning(tokens=np.arange(5)), segments=segments)
    assert result.asked.segments == segments
    assert (result.asked.unit, result.asked.within) == ("segment", None)
    assert [(w.text, w.score) for w in result.words] == [("a b .", 3), ("c d", 7)]
    inside = ats.explain(llama, TEXT, method=returning(tokens=np.arange(5)), segments=segments, within="back")
    assert (inside.asked.segments, inside.asked.unit, inside.asked.within) == ({}, "word", (6, 9))


def test_each_token_of_a_target_has_its_row_and_value(llama: ats.Model) -> None:
    tokens = np.arange(14.0).reshape(2, 7)
    result = ats.explain(llama, TEXT, method=returning(tokens=tokens, values=[1.0, 2.0]), target=" g h", per_token=True)
    assert [(t.text, t.index, t.value) for t in result.targets] == [("g", 5, 1.0), ("h", 6, 2.0)]
    np.testing.assert_array_equal(result.token_scores, tokens)
    assert result.first.token_scores.tolist() == tokens[0].tolist()
    assert result.first.measured.value is None


def test_what_the_target_stands_on_is_named(quire: ats.Model) -> None:
    result = ats.explain(quire, "He have a dog", "gradient", position="have")
    assert [result.tokens[i].text for i in result.measured.fixed] == ["have"]


def test_how_a_result_was_made(llama: ats.Model) -> None:
    provenance = ats.explain(llama, TEXT, method=returning(tokens=np.ones(5))).provenance
    assert provenance["dtype"] == "float32"
    assert provenance["attention"] == llama.model.config._attn_implementation
    assert provenance["model"] == llama.name
    assert set(provenance) == {
        "model", "revision", "class", "adapters", "dtype", "quantisation", "device", "attention", "attnscope", "torch",
        "transformers",
    }  # fmt: skip


@pytest.mark.parametrize("quantity", ["log_probability", "logit", "loss", "probability"])
def test_a_words_row_is_what_the_word_has_as_a_target_of_its_own(smollm2: ats.Model, quantity: str) -> None:
    asked = {"method": "gradient_x_input", "target": "東京", "quantity": quantity}
    (row,) = ats.explain(smollm2, "首都は", per_token=True, **asked).by_word()
    whole = ats.explain(smollm2, "首都は", **asked)
    assert row.measured.value == pytest.approx(whole.measured.value, rel=1e-4)
    assert row.scores[: len(whole.words)] == pytest.approx(whole.scores, rel=1e-3, abs=1e-6 * abs(whole.scores).max())


@pytest.mark.parametrize("method", ["attention", "value_norm"])
def test_a_words_row_of_attention_is_the_mean_of_its_tokens(smollm2: ats.Model, method: str) -> None:
    (row,) = ats.explain(smollm2, "首都は", method, target="東京", per_token=True).by_word()
    whole = ats.explain(smollm2, "首都は", method, target="東京")
    assert row.scores[: len(whole.words)] == pytest.approx(whole.scores, rel=1e-4, abs=1e-6)
