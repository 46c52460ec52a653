"""The turns of a text that was rendered by a template."""

import pytest

from attnscope.models.inputs.encode import encode
from attnscope.text.inputs import Reading
from models.inputs.chat_templates import CHATML, TEMPLATES, tokenizer_with

CHAT = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "user"},
    {"role": "assistant", "content": "Yes"},
    {"role": "user", "content": "熊本城は?"},
]


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name != "reordered"])
@pytest.mark.parametrize("count", [3, 4], ids=["replied", "asked"])
def test_turns_of_a_rendered_chat(name: str, count: int) -> None:
    tokenizer = tokenizer_with(TEMPLATES[name])
    rendered = encode(tokenizer, Reading().one(CHAT[:count])).source
    encoded = encode(tokenizer, rendered)
    found = {turn: encoded.text[start:end] for turn, (start, end) in encoded.turns.items()}
    expected = [(m["role"], m["content"]) for m in CHAT[:count]]
    if name in ("gemma", "mistral"):  # which put the system prompt into a user's turn
        del expected[0]
        place = next(i for i, said in enumerate(found.values()) if "Be kind." in said or i == len(found) - 1)
        role, content = expected[place]
        expected[place] = role, found[f"{place + 1} {role}"]
        assert expected[place][1].endswith(content)
    assert found == {f"{i + 1} {role}": content for i, (role, content) in enumerate(expected)}


def test_roles_that_the_template_was_not_asked_for() -> None:
    tokenizer = tokenizer_with(CHATML)
    text = "<|im_start|>user\nRain?<|im_end|>\n<|im_start|>tool\nno<|im_end|>\n<|im_start|>assistant\n"
    encoded = encode(tokenizer, text)
    assert {n: text[a:b] for n, (a, b) in encoded.turns.items()} == {"1 user": "Rain?", "2 tool": "no"}


def test_a_text_without_markers_has_no_turns() -> None:
    tokenizer = tokenizer_with(CHATML)
    assert encode(tokenizer, "the old castle").turns == {}
    assert encode(tokenizer, "the <think> castle").turns == {}
