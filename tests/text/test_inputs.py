"""What a caller may hand over, and what is said where it is something else."""

import numpy as np
import pytest

from attnscope.errors import InputError
from attnscope.text.inputs import Chat, Pair, Reading, is_one, paired

CHAT = [{"role": "user", "content": "Hi"}]


def test_one_or_several() -> None:
    assert all(is_one(given) for given in ("a", CHAT, tuple(CHAT), Chat(tuple(CHAT))))
    assert not any(is_one(given) for given in (["a"], [CHAT], [CHAT, "a"], [], np.array(["a"])))


def test_a_text_as_a_message_keeps_its_text() -> None:
    assert Reading(chat=True).one(" a ") == Chat(({"role": "user", "content": " a "},), text=" a ")
    assert Reading().one(" a ") == " a "
    assert Reading(chat=True).one(CHAT) == Chat(tuple(CHAT)), "messages are a chat anyway"


def test_whether_a_chat_ends_with_a_reply() -> None:
    reply = {"role": "assistant", "content": "Hello"}
    assert Chat((*CHAT, reply)).replies
    assert not Chat(tuple(CHAT)).replies
    assert not Chat((*CHAT, reply), template={"continue_final_message": True}).replies


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (CHAT[0], "list of messages"),
        ([*CHAT, "a"], "every message is a dict"),
        ([{"content": "Hi"}], "message 1 of the chat has no role"),
        ([{"from": "human", "value": "Hi"}], '"from" and "value" are called "role" and "content"'),
        ([*CHAT, {"role": "assistant"}], "message 2 of the chat .assistant. has no content"),
        ([{"role": "user", "content": 3}], "type 'int'"),
        ([{"role": "user", "content": [{"type": "image", "url": "a.png"}]}], "pictures and sound are not read here"),
        ([{"role": "user", "content": [{"type": "text"}]}], "part without its text"),
        (3, "give a str, or a chat"),
    ],
)
def test_what_is_no_input(given: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Reading().one(given)


@pytest.mark.parametrize(
    ("reading", "says"),
    [
        ({"tools": {"name": "a"}}, "list of JSON schemas"),
        ({"chat_template_kwargs": ["a"]}, "by name"),
        ({"chat_template_kwargs": {"tokenize": True}}, "'tokenize', which is not for the template"),
    ],
)
def test_what_is_no_reading(reading: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Reading(**reading)  # type: ignore[arg-type]


def test_what_only_a_chat_takes() -> None:
    with pytest.raises(InputError, match="tools is for chats, and a text was given"):
        Reading(tools=[{"name": "a"}]).one("a")


def test_texts_have_second_texts_of_their_own_or_one_for_all() -> None:
    assert paired(["a", "b"], "c") == [Pair("a", "c"), Pair("b", "c")]
    assert paired(["a", "b"], ("c", None)) == [Pair("a", "c"), "b"]
    assert paired(["a"], None) == ["a"]
    assert Pair("ab", "c").joined == "ab\n\nc"
    assert Pair("ab", "c").parts == {"text": (0, 2), "text_pair": (4, 5)}
    for seconds, says in ((["c"], "text_pair has 1 texts and there are 2"), ([3, "c"], "of type int")):
        with pytest.raises(InputError, match=says):
            paired(["a", "b"], seconds)
