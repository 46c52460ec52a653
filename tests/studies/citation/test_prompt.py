"""Passages in a prompt: their names, their places, and what is refused."""

from typing import Any

import pytest

from attnscope.errors import InputError
from attnscope.studies.citation.prompt import PLAIN, blocks, filled, named


def test_every_passage_has_its_place_with_the_blank_line_behind_it() -> None:
    passages = named(["The first.", {"title": "T", "text": " the first. ", "id": 7}, "The first.\nOnce more"])
    assert [one.name for one in passages] == ["1", "7", "3"]
    text = filled(PLAIN, "The first.", passages)
    places = [text[a:b] for a, b in blocks(PLAIN, "The first.", passages, text)]
    assert places == ["The first.\n\n", "T\nthe first.\n\n", "The first.\nOnce more\n\n"]


def test_the_question_may_come_first_and_say_what_a_passage_says() -> None:
    passages = named(["a b", "a b c"])
    template = "{question}\n{passages}"
    text = filled(template, "a b", passages)
    assert [text[a:b] for a, b in blocks(template, "a b", passages, text)] == ["a b\n\n", "a b c"]
    assert blocks(template, "a b", passages, text)[0][0] == 4
    spaced = "\n{passages}\n\n{question} "
    text = filled(spaced, "a b", passages).strip()
    assert blocks(spaced, "a b", passages, text) == [(0, 5), (5, 12)], "stripped, as chat templates do"


@pytest.mark.parametrize(
    ("passages", "message"),
    [
        ([], "passages is empty"),
        ("one text", "a list of texts"),
        (["a", "  "], "passage 2 is empty"),
        ([{"title": "x"}], "passage 1 is no text"),
        ([3], "passage 1 is no text"),
        ([{"text": "a", "titel": "b"}], "'titel'"),
        ([{"text": "a", "id": "2"}, "b"], "two passages have the id '2'"),
    ],
)
def test_what_is_refused(passages: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        named(passages)


@pytest.mark.parametrize("template", ["{passages}", "{question}", "{passages} {passages} {question}", 3])
def test_a_template_has_both_places(template: Any) -> None:
    with pytest.raises(InputError, match="template="):
        filled(template, "why", named(["a"]))


@pytest.mark.parametrize(
    "template", ["Context: {passages}\n{question}", "{passages} {question}", "<{passages}>\n{question}"]
)
def test_passages_have_lines_of_their_own(template: str) -> None:
    """A space before the first goes with its first token, so that what is left would be another text."""
    with pytest.raises(InputError, match="lines of their own"):
        filled(template, "why", named(["a"]))


def test_changed_passages_are_refused() -> None:
    with pytest.raises(InputError, match="changes the prompt"):
        blocks(PLAIN, "why", named(["a b"]), "A B\n\nQuestion: why\nAnswer:")
    with pytest.raises(InputError, match="the question is empty"):
        filled(PLAIN, " ", named(["a"]))
