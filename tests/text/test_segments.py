"""Sentences, paragraphs, turns: spans of the text as a reader would cut it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnscope.errors import InputError
from attnscope.text.segments import checked, paragraphs, sentences, turns
from attnscope.text.words import TokenSpan


def cut(text: str, spans: list[tuple[int, int]]) -> list[str]:
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Is it? Yes. 雨だ。晴れ", ["Is it?", "Yes.", "雨だ。", "晴れ"]),
        ("It costs 3.50 now", ["It costs 3.50 now"]),
        ('He said "go!" Then left.', ['He said "go!"', "Then left."]),
        ("one line\nanother", ["one line", "another"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert cut(text, sentences(text)) == expected


def test_paragraphs() -> None:
    text = "a b\nc\n\n \n\nd"
    assert cut(text, paragraphs(text)) == ["a b\nc", "d"]


@given(st.text())
def test_no_character_but_space_is_lost(text: str) -> None:
    for spans in (sentences(text), paragraphs(text)):
        assert "".join("".join(cut(text, spans)).split()) == "".join(text.split())


def test_turns_by_their_roles() -> None:
    text = "<s>user\nHello there<e><s>assistant\nHi<e>"
    marks = [i for i, c in enumerate(text) if c == "<"]
    tokens = [TokenSpan(text[i : i + 3], i, i + 3, True) for i in marks]
    found = turns(text, tokens)
    assert {name: text[a:b] for name, (a, b) in found.items()} == {"1 user": "Hello there", "2 assistant": "Hi"}
    with pytest.raises(InputError, match="no chat markers"):
        turns("plain", [])


def test_named_segments_come_in_the_order_of_the_text() -> None:
    assert list(checked("abcdef", {"late": (3, 6), "early": (0, 3)})) == ["early", "late"]
    with pytest.raises(InputError, match="at least one"):
        checked("abc", {})
