"""A question is what it says it is, or it is refused in one line."""

from typing import Any

import pytest
from tiny_models import small

from attnscope.errors import InputError
from attnscope.serve.questions import Question, question


def test_a_question_is_read() -> None:
    asked = question({"ask": "without", "text": "a b", "removed": [[0, 1]], "target": " c", "layer": 2})
    assert asked == Question("without", text="a b", removed=((0, 1),), target=" c", layer=2)
    chat = question({"ask": "importance", "messages": [{"role": "user", "content": "Hi"}]})
    assert chat.given == [{"role": "user", "content": "Hi"}]
    assert chat.key != asked.key
    assert question({"ask": "importance", "text": repr(chat.messages)}).key != chat.key


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "JSON object"),
        ({"ask": "x", "path": "/etc"}, "no field 'path'"),
        ({"ask": 3}, "ask is not a text"),
        ({"ask": "x", "text": "a" * 200_001}, "up to 200,000 characters"),
        ({"ask": "x", "layer": -1}, "layer is not a whole number"),
        ({"ask": "x", "layer": True}, "layer is not a whole number"),
        ({"ask": "x", "count": 10**9}, "count is not a whole number from 0 to 200"),
        ({"ask": "x", "target": ""}, "the target is not a text"),
        ({"ask": "x", "target": 3}, "the target is not a text"),
        ({"ask": "x", "go": 1}, "neither true nor false"),
        ({"ask": "x", "removed": [[0, 1.5]]}, "pairs"),
        ({"ask": "x", "removed": "all"}, "pairs"),
        ({"ask": "x", "messages": [{"role": "user", "content": [1]}]}, "messages are not a list"),
        ({"ask": "x", "messages": [{"role": "user", "content": "x", "tools": "y"}]}, "messages are not a list"),
        ({"ask": "x", "messages": [{"role": "user", "content": "x" * 150_000}] * 2}, "more than 200,000"),
        ({"ask": "x", "method": "os.system"}, "there is no method"),
    ],
)
def test_anything_else_is_refused(data: Any, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        question(data)
    assert "\n" not in str(refused.value)


def test_a_text_of_too_many_tokens_is_refused() -> None:
    with pytest.raises(InputError, match="has 30 tokens, and up to 20"):
        question({"ask": "x", "text": "a " * 30}).encoded(small("llama"), 20)
