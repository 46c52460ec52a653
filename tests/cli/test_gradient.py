"""`attnscope gradient`."""

import json

from command_line import TEXT, run


def test_chat_and_presets() -> None:
    data = json.loads(run("gradient", "Hello there", "--chat", "--preset", "promptrobust", "--json").stdout)
    assert data["text"] == "Hello there"
    assert data["asked"]["options"]["preset"] == "promptrobust"
    assert any(token["text"] == "<|im_start|>" and token["special"] for token in data["tokens"])


def test_piped_output_is_plain_text() -> None:
    done = run("gradient", TEXT)
    assert b"\x1b" not in done.stdout
    assert "castle" in done.stdout.decode()
