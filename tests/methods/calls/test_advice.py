"""One line where a request is hardly what was meant, once a call, and none where all is well."""

import warnings
from typing import Any

import pytest
import torch
from planted import copy_tokenizer
from tiny_models import classifier, tiny

import attnscope as ats
from attnscope.methods.calls.advice import _other_spacing, without_advice

CAPITAL = "The capital of Japan is"


def advice(model: ats.Model, text: Any, *arguments: Any, **asked: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ats.explain(model, text, *arguments, **asked)
    assert all(issubclass(one.category, ats.AdviceWarning) for one in caught)
    assert all(one.filename == __file__ for one in caught), "the caller's line is named"
    return [str(one.message) for one in caught]


@pytest.mark.parametrize(
    ("text", "target", "says"),
    [
        (CAPITAL, "Tokyo", ["no space before it", "' Tokyo'", "0.7,", "e-06"]),
        (CAPITAL + " ", "Tokyo", ["ends with a space", "' Tokyo'", "0.7,"]),
        (CAPITAL + " ", " Tokyo", ["ends with a space", "' Tokyo'", "0.7,"]),
        (CAPITAL, " bananas", ["is unlikely", "would have said ' Tokyo' (0.7)"]),
    ],
)
def test_a_target_that_was_hardly_meant(smollm2: ats.Model, text: str, target: str, says: list[str]) -> None:
    (line,) = advice(smollm2, text, target=target)
    assert "\n" not in line
    for part in says:
        assert part in line


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (CAPITAL, {"target": " Tokyo"}),
        (CAPITAL, {"target": " Tokyo, which is"}),
        (CAPITAL, {}),
        (CAPITAL, {"generate": 2}),
        ("日本の首都は東", {"target": "京"}),
        ("<|im_start|>user\nHi<|im_end|>\n", {}),
    ],
)
def test_no_advice_where_all_is_well(smollm2: ats.Model, text: str, asked: dict[str, Any]) -> None:
    assert advice(smollm2, text, **asked) == []


def test_spaces_are_for_scripts_that_have_them() -> None:
    assert _other_spacing("the", "cat") == ("the", " cat")
    assert _other_spacing("the ", "cat") == ("the", " cat")
    assert _other_spacing("the", " cat") is None
    for text, target in (
        ("首都は", "東京"),
        ("เมืองหลวง", "กรุง"),
        ("the", "…"),
        ("(", "cat"),
        ("a\n", "cat"),
        ("", "cat"),
    ):
        assert _other_spacing(text, target) is None


def test_a_prompt_that_ends_with_a_space_and_is_to_go_on() -> None:
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    assert ["ends with a space" in line for line in advice(model, "a b ", generate=1)] == [True]
    assert advice(model, "a b", generate=1) == []


def test_a_list_is_advised_once_for_each_cause(smollm2: ats.Model) -> None:
    texts = [CAPITAL, "notes.txt", CAPITAL, "A cat <|im_end|> sat", "b.csv"]
    lines = advice(smollm2, texts, target=["Tokyo", None, "Tokyo", None, None])
    assert len(lines) == 3
    for part in ("no space before it", "'notes.txt' is the name of a file", "special token '<|im_end|>'"):
        assert any(part in line for line in lines)


def test_scores_within_their_own_error() -> None:
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    lines = advice(model, "a b c d", "integrated_gradients", target=" c", steps=1, rule="riemann")
    result = ats.explain(model, "a b c d", "integrated_gradients", target=" c", steps=1, rule="riemann")
    missed = abs(result.measured.completeness_error or 0) > abs(result.scores).max()
    assert any("method's error" in line for line in lines) == missed

    def rounded(task: ats.Task) -> ats.Scores:
        return ats.Scores(units=torch.full((len(task.units),), 1e-9), values=task.values())

    row = ats.METHODS["deletion"]
    quiet = ats.Method(rounded, family="perturbation", unit=row.unit)
    assert ["rounding" in line for line in advice(model, "a b c", quiet, target=" c") if "scores" in line] == [True]


def test_a_study_and_a_classifier_get_none() -> None:
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    with without_advice():
        assert advice(model, "a b ", generate=1) == []
    assert advice(classifier("Sequence"), "a b c", target="POSITIVE") == []
