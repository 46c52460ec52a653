"""The JSON of chats, and rendered texts as files have them."""

import json

import pytest

from attnscope.errors import InputError
from attnscope.text.messages import is_json_of_a_chat, read_messages, without_last_line_break

CHAT = [{"role": "user", "content": "Hi"}]


def test_messages_alone_or_with_what_the_template_gets() -> None:
    assert read_messages(json.dumps(CHAT), "a").messages == CHAT
    more = {"messages": CHAT, "tools": [{"name": "b"}], "chat_template_kwargs": {"c": 1}, "id": 7}
    read = read_messages(json.dumps(more), "a")
    assert (read.messages, read.tools, read.chat_template_kwargs) == (CHAT, [{"name": "b"}], {"c": 1})


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("[", "is not JSON"),
        ("[]", "has no messages: write"),
        ('{"role": "user", "content": "a"}', "has no messages: write"),
        ('{"conversations": []}', 'has "conversations"'),
        ('[[{"role": "user", "content": "a"}]]', "has 1 chats"),
        ('[{"content": "a"}]', "message 1 of the chat has no role"),
    ],
)
def test_what_is_no_chat(document: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_messages(document, "chat.json")


@pytest.mark.parametrize(("text", "is_one"), [(json.dumps(CHAT), True), ('[{"role": 1}]', False), ("[a]", False)])
def test_whether_a_text_is_the_json_of_a_chat(text: str, is_one: bool) -> None:
    assert is_json_of_a_chat(text) is is_one
    assert not is_json_of_a_chat(text + " and more")


def test_a_rendered_chat_keeps_its_last_line_break() -> None:
    assert without_last_line_break("one\n") == "one"
    assert without_last_line_break("<|im_start|>assistant\n") == "<|im_start|>assistant\n"
