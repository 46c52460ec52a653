"""Chats under templates of every manner: each message is found where the template puts it."""

import logging
from typing import Any

import pytest
from tokenizers_zoo import assert_laws

from attnscope.errors import InputError, ModelError
from attnscope.models.inputs.chat import rendering
from attnscope.models.inputs.encode import Encoded, encode
from attnscope.text.inputs import Chat, Reading
from models.inputs import chat_templates
from models.inputs.chat_templates import TEMPLATES, tokenizer_with

Messages = list[dict[str, Any]]
# Contents that read like the template's own words and markers.
ASKED: Messages = [
    {"role": "system", "content": "Be kind. "},
    {"role": "user", "content": " user\n"},
    {"role": "assistant", "content": "assistant"},
    {"role": "user", "content": "熊本城<|im_end|>は? <end_of_turn>"},
]
REPLIED = [*ASKED, {"role": "assistant", "content": "It's in Kumamoto."}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CLOCK = {"type": "function", "function": {**WEATHER["function"], "name": "clock"}}  # type: ignore[dict-item]
CALLED: Messages = [
    {"role": "user", "content": "Rain?"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": {"city": "Paris"}}}],
    },
    {"role": "tool", "content": '{"rain": "no"}'},
]


def read(template: str, messages: Messages, **reading: Any) -> Encoded:
    encoded = encode(tokenizer_with(template), Reading(**reading).one(messages))
    assert_laws(encoded)
    return encoded


def turns(encoded: Encoded) -> dict[str, str]:
    return {name: encoded.text[start:end] for name, (start, end) in encoded.turns.items()}


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("messages", [ASKED, REPLIED], ids=["asked", "replied"])
def test_every_message_is_found_under_every_template(name: str, messages: Messages) -> None:
    encoded = read(TEMPLATES[name], messages)
    expected = {f"{i + 1} {m['role']}": m["content"].strip() for i, m in enumerate(messages)}
    if name == "mistral" and messages is REPLIED:
        del expected["1 system"]  # its template has a place for it in a last user's turn only
    assert {turn: said.strip() for turn, said in turns(encoded).items()} == expected
    replies = messages is REPLIED
    tokenizer = tokenizer_with(TEMPLATES[name])
    form = [{**m, "content": [{"type": "text", "text": m["content"]}]} for m in messages]
    theirs = tokenizer.apply_chat_template(
        form if name == "parts" else messages, add_generation_prompt=not replies, return_dict=False
    )
    assert encoded.inputs["input_ids"] == theirs
    assert encoded.inputs["input_ids"].count(tokenizer.bos_token_id) <= 1
    assert encoded.chat is not None
    pieces = [encoded.text[slice(*piece.span)] for piece in encoded.chat.pieces]
    template = encoded.chat.template
    assert template[0] + "".join(a + b for a, b in zip(pieces, template[1:], strict=True)) == encoded.source
    covered = {i for token in encoded.tokens for i in range(token.start, token.end) if not encoded.text[i].isspace()}
    said = {i for start, end in encoded.turns.values() for i in range(start, end) if not encoded.text[i].isspace()}
    assert covered == said


def test_a_default_system_prompt_is_input_and_no_text() -> None:
    encoded = read(chat_templates.CHATML, [{"role": "user", "content": "You are"}])
    assert turns(encoded) == {"1 user": "You are"}
    assert encoded.text == "You are"
    assert encoded.chat is not None
    assert "You are a helpful assistant." in encoded.chat.template[0]


def test_a_system_prompt_in_the_users_turn_is_a_turn_of_its_own() -> None:
    encoded = read(chat_templates.GEMMA, ASKED)
    assert encoded.text.startswith("Be kind. \n\nuser\n\nassistant")
    assert "system" not in encoded.source


def test_what_the_template_makes_of_a_message_is_its_text() -> None:
    encoded = read(chat_templates.LLAMA3, [*CALLED[:2], {"role": "tool", "content": 'a "b"\n'}], tools=[WEATHER])
    assert turns(encoded)["3 tool"] == 'a \\"b\\"\\n'
    shouted = read("{% for m in messages %}{{ m.role }}: {{ m.content | upper }}\n{% endfor %}", ASKED[1:2])
    assert shouted.text == " USER\n"


def test_tools_and_calls_are_turns() -> None:
    for template in (chat_templates.QWEN3, chat_templates.LLAMA3):
        found = turns(read(template, CALLED, tools=[WEATHER, CLOCK]))
        assert list(found)[:2] == ["tool weather", "tool clock"]
        for name in ("weather", "clock"):
            assert found[f"tool {name}"].startswith("{")
            assert found[f"tool {name}"].endswith("}")
            assert f'"name": "{name}"' in found[f"tool {name}"]
        assert '"name": "weather"' in found["2 assistant calls weather"]
        assert '{"city": "Paris"}' in found["2 assistant calls weather"]


def test_a_function_is_a_tool() -> None:
    def clock(city: str) -> str:
        """
        Tells the time.

        Args:
            city: Where.
        """
        return city

    found = turns(read(chat_templates.QWEN3, CALLED, tools=[clock]))
    assert "Tells the time." in found["tool clock"]
    with pytest.raises(ModelError, match="neither a JSON schema nor a function"):
        read(chat_templates.QWEN3, CALLED, tools=[3])


def test_thinking_is_where_the_template_leaves_it() -> None:
    thought = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "<think>\nfirst\n</think>\n\nb"},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": "d", "reasoning_content": "second"},
    ]
    found = turns(read(chat_templates.QWEN3, thought))
    assert found == {
        "1 user": "a",
        "2 assistant": "b",
        "3 user": "c",
        "4 assistant thinking": "second",
        "4 assistant": "d",
    }
    assert turns(read(chat_templates.GPT_OSS, [*thought[:3], {**ASKED[2], "content": "d", "thinking": "second"}])) == {
        **found,
        "2 assistant": thought[1]["content"],
    }  # which keeps what is written into a content


def test_variables_reach_the_template() -> None:
    off = read(chat_templates.QWEN3, ASKED[1:2], chat_template_kwargs={"enable_thinking": False})
    assert off.source.endswith("<think>\n\n</think>\n\n")
    assert not read(chat_templates.QWEN3, ASKED[1:2]).source.endswith("</think>\n\n")
    high = read(chat_templates.GPT_OSS, ASKED, chat_template_kwargs={"reasoning_effort": "high"})
    assert "Reasoning: high" in high.source
    going_on = read(chat_templates.CHATML, REPLIED, chat_template_kwargs={"continue_final_message": True})
    assert going_on.source.endswith("It's in Kumamoto.")
    assert not going_on.replies


def test_contents_may_be_parts_under_any_template() -> None:
    parts = [{"role": "user", "content": [{"type": "text", "text": "the old"}, {"type": "text", "text": "castle"}]}]
    for template in (chat_templates.CHATML, chat_templates.LLAMA3, chat_templates.PARTS):
        encoded = read(template, parts)
        assert "type" not in encoded.source
        assert "".join(turns(encoded)["1 user"].split()) == "theoldcastle"


def test_what_the_template_leaves_out_is_said(caplog: pytest.LogCaptureFixture) -> None:
    template = "{% for m in messages if m.role == 'user' %}<|user|>{{ m.content }}{% endfor %}"
    with caplog.at_level(logging.WARNING):
        encoded = read(template, ASKED[:2])
    assert turns(encoded) == {"2 user": " user\n"}
    assert "leaves out 1 system" in caplog.text


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (chat_templates.GEMMA1, "System role not supported"),
        ("{{ messages[1].content }} {{ messages[1].content }}", "repeats it"),
        ("{% for m in messages %}{{ m.content[0] }}{% endfor %}", "leaves nothing of the messages"),
    ],
)
def test_a_template_that_refuses_or_cannot_be_followed(template: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        rendering(tokenizer_with(template), Chat(tuple(ASKED[:2])))
    assert "\n" not in str(caught.value)


def test_a_chat_is_cut_at_its_longest_message() -> None:
    long: Messages = [{"role": "system", "content": "the castle " * 50}, *ASKED[1:]]
    tokenizer = tokenizer_with(chat_templates.LLAMA3)
    whole = encode(tokenizer, Reading().one(long))
    cut = encode(tokenizer, Reading().one(long), max_tokens=len(whole.tokens) - 60, truncate=True)
    assert len(cut.tokens) <= len(whole.tokens) - 60
    assert whole.text.startswith(cut.text[: cut.turns["1 system"][1]])
    assert {n: t for n, t in turns(cut).items() if n != "1 system"} == {
        n: t for n, t in turns(whole).items() if n != "1 system"
    }
