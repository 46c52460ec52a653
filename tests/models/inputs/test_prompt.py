"""What is tokenized, and what of it is the text: pieces, turns, cuts and edits."""

import pytest

from attnscope.errors import ModelError
from attnscope.models.inputs.prompt import Prompt, chat_prompt, edited, shortened
from attnscope.text.inputs import Chat
from attnscope.text.words import TokenSpan
from models.inputs.chat_templates import GEMMA, LLAMA3, tokenizer_with

CHAT = Chat(
    (
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": " the old castle "},
        {"role": "assistant", "content": "It stands."},
    )
)


def test_a_plain_text_is_one_piece() -> None:
    prompt = Prompt.of_text("the castle")
    assert (prompt.text, prompt.turns, prompt.reply, prompt.template) == ("the castle", {}, None, ("", ""))
    assert prompt.place(4, 10) == (4, 10)


def test_places_and_turns() -> None:
    prompt = chat_prompt(tokenizer_with(GEMMA), CHAT)
    assert prompt.text == "Be kind.\n\nthe old castle\n\nIt stands."
    assert {n: prompt.text[a:b] for n, (a, b) in prompt.turns.items()} == {
        "1 system": "Be kind.", "2 user": "the old castle", "3 assistant": "It stands.",
    }  # fmt: skip
    for word in ("kind", "castle", "stands"):
        start = prompt.source.index(word)
        place = prompt.place(start, start + len(word))
        assert place is not None
        assert prompt.text[slice(*place)] == word
    marker = prompt.source.index("<end_of_turn>")
    assert prompt.place(marker, marker + 3) is None
    # What reaches from the system prompt into the user's message has both in the text.
    assert prompt.place(prompt.source.index("nd."), prompt.source.index("old")) == (5, 14)


def test_until() -> None:
    prompt = chat_prompt(tokenizer_with(LLAMA3), CHAT)
    short = prompt.until(prompt.source.index("castle"))
    assert (short.text, short.source[-4:]) == ("Be kind.\n\nthe old ", "old ")
    assert short.reply is None


def test_a_text_as_a_message_keeps_its_white_space_and_must_be_what_is_read() -> None:
    message = Chat(({"role": "user", "content": " a "},), text=" a ")
    prompt = chat_prompt(tokenizer_with(LLAMA3), message)
    assert (prompt.text, prompt.pieces[0].span) == (" a ", (1, 2))
    with pytest.raises(ModelError, match="changes the message"):
        chat_prompt(tokenizer_with("{{ messages[0].content | upper }}"), message)


def test_an_edit_in_the_text_is_one_in_its_message() -> None:
    prompt = chat_prompt(tokenizer_with(LLAMA3), CHAT)
    start = prompt.text.index("old")
    changed = edited(prompt, start, start + 3, "new")
    assert changed is not None
    assert changed.messages[1]["content"] == " the new castle "
    assert changed.messages[0] == CHAT.messages[0]
    assert edited(prompt, 3, start, "x") is None, "no edit over two messages"


def test_the_longest_content_is_cut() -> None:
    prompt = chat_prompt(tokenizer_with(LLAMA3), CHAT)
    tokens = [TokenSpan(c, i, i + 1, special=False) for i, c in enumerate(prompt.text)]
    shorter = shortened(CHAT, prompt, tokens, 7, lambda _text, _tokens, left: left)
    assert shorter is not None
    assert [m["content"] for m in shorter.messages] == ["Be kind.", " the old", "It stands."]
    assert shortened(CHAT, prompt, tokens, 14, lambda *_: 0) is None
