"""What several commands share: the text, indices, formats, groups of options."""

import json
import re
from dataclasses import fields
from inspect import signature
from pathlib import Path

import pytest
import torch
from command_line import Run, failed, process, run

from attnscope.cli import options
from attnscope.errors import InputError, TextError
from attnscope.render import FORMATS, RENDERERS


def test_text_from_standard_input_and_from_a_file(tmp_path: Path) -> None:
    text = "熊本県の天気は晴れです。😀"
    (tmp_path / "text.txt").write_text(text + "\n")
    piped = json.loads(process("gradient", "--json", given=f"{text}\n".encode()).stdout)
    read = json.loads(run("gradient", "--json", "--file", str(tmp_path / "text.txt")).stdout)
    assert piped == read
    assert piped["text"] == text


def test_a_text_file_as_editors_write_it(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    for raw, text in ((b"\xef\xbb\xbfone\r\n", "one"), (b"one\n\n", "one\n"), (b"", "")):
        path.write_bytes(raw)
        assert options.read_text(None, path) == text
    for raw, says in ((b"caf\xe9", "byte 3"), (b"a\0b", "NUL character at position 1")):
        path.write_bytes(raw)
        with pytest.raises(TextError, match=says):
            options.read_text(None, path)


@pytest.mark.parametrize(
    ("given", "query", "index"),
    [("7", 7, 7), ("-2", -2, -2), ("castle", "castle", "castle"), ("word:7", "7", "word:7")],
)
def test_an_index_or_a_word(given: str, query: int | str, index: int | str) -> None:
    assert options.query(given) == query
    assert options.number(given) == index


@pytest.mark.parametrize("kind", RENDERERS)
def test_the_help_names_the_formats_of_a_result(kind: type[options.Result]) -> None:
    said = options.formats(kind)
    assert [suffix for suffix in FORMATS if re.search(rf"\{suffix}(?![a-z])", said)] == list(RENDERERS[kind])


def test_a_group_of_options_reaches_the_command_as_one() -> None:
    seen: list[tuple[str, options.Look]] = []

    def command(name: str = "", *, look: options.Look) -> None:
        """What it does."""
        seen.append((name, look))

    called = options.expanded(command)
    looks = {one.name: one.default for one in fields(options.Look)}
    assert [*signature(called).parameters] == ["name", *looks]
    assert {"max_line_chars", "font", "font_size", "dark", "width", "no_caption"} <= set(looks)
    assert called.__doc__ == "What it does."
    called(name="x", **looks | {"max_line_chars": 40, "dark": True})
    assert seen == [("x", options.Look(max_line_chars=40, dark=True))]
    assert seen[0][1].given() == {"max_line_chars": 40, "dark": True}
    assert options.Picture(no_caption=True, width="page", height=0.0).given() == {
        "caption": False, "width": "page", "height": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("there", "given", "device"),
    [
        ((), None, None),
        (("mps",), None, "mps"),
        (("cuda", "mps"), None, "cuda"),
        (("cuda",), "cpu", None),
        (("cuda",), "auto", "auto"),
    ],
)
def test_the_device_is_the_one_that_is_there(
    there: tuple[str, ...], given: str | None, device: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in there)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in there)
    monkeypatch.setattr(options.attnscope, "load", lambda _name, **how: asked.append(how["device_map"]))
    options.Loading(device=given).load()
    assert asked == [device]


def test_the_device_is_named_in_the_result(run_tiny: Run) -> None:
    result = json.loads(run_tiny("attention", "a b c", "--device", "cpu", "--json").stdout)
    assert result["provenance"]["device"] == "cpu"


CHAT = [
    {"role": "user", "content": "What is the capital of Japan?"},
    {"role": "assistant", "content": "The capital of Japan is Tokyo."},
]


def test_a_chat_from_a_file_and_from_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_text(json.dumps({"messages": CHAT, "chat_template_kwargs": {"shout": True}}))
    asked = ("gradient", "--json", "--messages")
    read = json.loads(run(*asked, str(path)).stdout)
    assert read["asked"]["messages"] == CHAT
    assert read["asked"]["chat_template_kwargs"] == {"shout": True}
    assert read["asked"]["target"] == "log-probability of 'The capital of Japan is Tokyo.'"
    piped = json.loads(run(*asked, "-", given=json.dumps(CHAT).encode()).stdout)
    assert piped["words"] == read["words"]
    part = json.loads(run("explain", "--json", "--messages", str(path), "--target", "Tokyo").stdout)
    assert part["asked"]["target"] == "log-probability of ' Tokyo'"
    count = len(read["tokens"])  # the reply is not among them
    planned = run("plan", "--messages", str(path), "--json").stdout
    assert json.loads(planned)["tokens"] > count


def test_a_file_that_is_no_chat(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_text("[")
    assert "chat.json is not JSON" in failed("gradient", "--messages", str(path))


def test_a_text_and_a_chat_are_one_too_many() -> None:
    assert "give one of them" in failed("gradient", "a text", "--messages", "chat.json")
    assert "tools is for chats" in failed("gradient", "a text", "--tools", '[{"name": "a"}]')


def test_options_of_json(tmp_path: Path) -> None:
    assert options.json_value('{"a": 1}', "--tools") == {"a": 1}
    (tmp_path / "tools.json").write_text("[2]")
    assert options.json_value(str(tmp_path / "tools.json"), "--tools") == [2]
    with pytest.raises(InputError, match="neither JSON nor the name of a file"):
        options.json_value("{a", "--tools")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("one\n", "one"),
        ("one\n\n", "one\n"),
        ("one\r\n", "one"),
        ("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", None),
        ("<|start_header_id|>assistant<|end_header_id|>\n\n", None),
        ("<start_of_turn>model\n", None),
        ("<｜Assistant｜><think>\n", None),
        ("<|im_start|>user\nHi\n", "<|im_start|>user\nHi"),
    ],
)
def test_a_rendered_chat_keeps_its_last_line_break(written: str, read: str | None, tmp_path: Path) -> None:
    path = tmp_path / "prompt.txt"
    path.write_bytes(written.encode())
    assert options.read_text(None, path) == (written if read is None else read)


def test_a_chat_given_as_a_text_gets_a_hint(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "chat.json"
    path.write_text(json.dumps(CHAT))
    for given in (("--file", str(path)), (json.dumps({"messages": CHAT}),)):
        caplog.clear()
        run("plan", *given)
        assert "use --messages" in caplog.text
    caplog.clear()
    run("plan", '["a", {"role": 1}] is JSON')
    assert "--messages" not in caplog.text
