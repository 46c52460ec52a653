"""What a picture says of itself: every field of what was asked and measured has its line, its note, or its place."""

from dataclasses import fields, replace
from typing import Any

import pytest
from drawn_results import attention, result

from attnscope.render.content.caption import caption_of, number, unit
from attnscope.render.content.pieces import query_words
from attnscope.results.base import Asked, Interaction, Measured
from attnscope.text.visible import model_name

TEXT = "a castle on the hill"
# Of each field: a value, and what the caption says of it. Nothing where it says nothing by design.
ASKED: dict[str, tuple[Any, str]] = {
    "options": ({"layer": 3, "preset": None, "odd": [1, 2.5]}, "layer 3  ·  odd 1, 2.5"),
    "target": ("log-probability of ' x'", "target log-probability of ' x'"),
    "quantity": ("logit", "quantity logit"),
    "unit": ("sentence", "unit sentence"),
    "segments": ({"front": (0, 8), "back": (9, 20)}, "Segments in order: front, back."),
    "within": ((0, 8), "within 0, 8"),
    "query": ("castle", "query castle"),
    "stack": ("cross", "attention cross"),
    "chat": (True, "chat yes"),
    "messages": (({"role": "user", "content": "a"},), ""),
    "tools": (({"name": "a"}, {"name": "b"}), "tools 2"),
    "chat_template_kwargs": ({"enable_thinking": False}, "template enable_thinking no"),
    "text_pair": ("on the hill", ""),
    "truncate": (True, "truncate yes"),
    "window": (512, ""),
    "target_token": (" x", "target_token  x"),
}
MEASURED: dict[str, tuple[Any, str]] = {
    "value": (-1.25, "value -1.25"),
    "excluded_mass": (0.25, "25.0% of the attention went to special tokens"),
    "completeness_error": (0.5, "miss the change that they add up to by 0.5."),
    "baseline_value": (-2.0, "baseline_value -2"),
    "standard_error": ((0.125, 0.5), "Standard error of a score: at most 0.5."),
    "r_squared": (0.75, "r_squared 0.75"),
    "steps": (40, "steps 40"),
    "to_target": (0.125, "to_target 0.125"),
    "query_tokens": ((2,), "query “castle”"),
    "query_text": ("g h", "query_text g h"),
    "continued_at": (8, "continued_at 8"),
    "fixed": ((2, 3), "The target stands on castle on."),
    "shared_words": (((1, 3),), "which share its score by their characters: castle on."),
    "windows": (((0, 9), (5, 20)), "Read in 2 overlapping windows of at most"),
    "coverage": ((2, 3), "through 2 of 3 layers; the others have no attention weights."),
    "answer": ((" x",), ""),
    "turns": ({"1 user": (0, 8)}, ""),
    "template": (("<s>You are kind", "</s>"), "read and not drawn: <s>You are kind … </s>"),
    "mechanism": ("Mamba 2", "Linear attention (Mamba 2), unrolled: the weights are signed"),
    "rebuilt": (1.2e-6, ""),
    "by_head": ({"0": (0.5, -0.25), "3": (-2.0, 1.0)}, "Of the scores, layer 3, head 0 has most: -2 in sum."),
    "interactions": (
        (Interaction((0, 1), (2, 3), -0.5, -0.75, -0.25),),
        "add -0.5 to what each does alone (-0.75 to -0.25).",
    ),
}


def said(**changes: Any) -> str:
    caption = caption_of(replace(result(TEXT, options={}), **changes))
    return "  ·  ".join((caption.line(), *caption.notes))


def test_every_field_is_thought_of() -> None:
    assert [f.name for f in fields(Asked)] == list(ASKED)
    assert [f.name for f in fields(Measured)] == list(MEASURED)


@pytest.mark.parametrize("name", ASKED)
def test_what_was_asked_is_said(name: str) -> None:
    value, says = ASKED[name]
    changed = said(asked=Asked(**{name: value}))
    assert says in changed
    assert (changed == said()) == (not says)


@pytest.mark.parametrize("name", MEASURED)
def test_what_was_measured_is_said(name: str) -> None:
    value, says = MEASURED[name]
    changed = said(measured=Measured(**{name: value}))
    assert says in changed
    assert (changed == said()) == (not says)


def test_linear_attention_is_named_everywhere() -> None:
    row = replace(attention(TEXT, query="castle"), signed=True, measured=Measured(mechanism="Mamba 2", rebuilt=1.2e-6))
    caption = caption_of(row)
    assert caption.title.startswith("Linear attention")
    assert unit(row) == "weight of linear attention"
    assert "positive weight" in caption.scale
    assert "target" not in caption.scale
    assert any("give its output within 2e-6 of it." in note for note in caption.notes)


def test_refined_steps_are_those_that_were_taken() -> None:
    assert "steps 40" in said(asked=Asked(options={"steps": 20}), measured=Measured(steps=40))


@pytest.mark.parametrize(
    ("method", "family", "title", "of"),
    [
        ("attention", "attention", "Attention", "share of attention"),
        ("rollout", "flow", "Importance by rollout", "rollout score"),
        ("gradient_x_input", "gradient", "Importance by gradient x input", "gradient_x_input score"),
        ("own", "own", "Own scores", "own score"),
        ("eyes\x1b", "own", "Scores: eyes␛", "eyes␛ score"),
    ],
)
def test_only_attention_itself_is_a_share_of_attention(method: str, family: str, title: str, of: str) -> None:
    drawn = replace(result(TEXT, options={}), method=method, family=family)
    assert (caption_of(drawn).title, unit(drawn)) == (title, of)
    assert ("query mean over all" in caption_of(drawn).line()) == (family in ("attention", "flow"))


def test_a_query_is_named_by_its_word() -> None:
    asked = attention(TEXT, 2)
    assert caption_of(asked).title == "Attention from “castle”"
    assert query_words(asked) == (1,)
    special = attention(TEXT, 0)
    assert "query 0" in caption_of(special).line()


def test_a_query_in_another_text_marks_no_word_of_this_one() -> None:
    """Across, the query's index counts the tokens of the text that looks, not of the one that is looked at."""
    across = result(
        TEXT, method="attention", options={}, asked={"query": 2, "stack": "cross"}, measured={"query_text": "g h"}
    )
    assert query_words(across) == ()
    assert caption_of(across).title == "Attention"
    assert "query 2  ·  attention cross  ·  query_text g h" in caption_of(across).line()


def test_numbers_are_written_as_in_python() -> None:
    assert number(0.0123456) == "0.01235"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("/home/me/models/tiny", "tiny"),
        ("./tiny/", "tiny"),
        ("~/models/tiny.gguf", "tiny.gguf"),
        ("C:\\\\models\\\\tiny", "tiny"),
        ("models/of/mine", "mine"),
        ("org/name", "org/name"),
        ("gpt2", "gpt2"),
        ("/a/base + /b/adapter", "base + adapter"),
    ],
)
def test_a_folder_is_called_by_its_own_name(name: str, shown: str) -> None:
    assert model_name(name) == shown
    drawn = replace(result(TEXT), provenance={"model": name})
    assert ("model", shown) in caption_of(drawn).facts
