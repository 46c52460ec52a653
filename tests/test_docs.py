"""The guides' code runs as it is written: first steps in both languages, and what answers to other libraries' calls."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

import attnscope as ats
from attnscope.cli import app
from test_readme import blocks, commands, outline

ROOT = Path(__file__).parents[1]
HOW_TO = {"pages", "words.html", "words.png", "words.json", "own.html"}
# Page → the files that its code writes.
PAGES = {
    "docs/index.md": {"words.html", "attention.html"},
    "docs/start.ja.md": {"words.html", "attention.html"},
    "docs/from_others.md": {"maps.html", "tokens.html", "words.html"},
    "docs/papers.md": {"words.pdf", "words.json", "six.pdf", "methods.bib", "words.tex"},
    "docs/howto.md": HOW_TO,
    "docs/howto.ja.md": HOW_TO,
}
LONG = ("docs/howto.md", "docs/howto.ja.md")


@pytest.mark.parametrize("page", [pytest.param(page, marks=[pytest.mark.slow] * (page in LONG)) for page in PAGES])
def test_the_code_of_a_page_runs(
    page: str, smollm2: ats.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ats, "load", lambda: smollm2)
    names: dict[str, Any] = {}
    for block in blocks(page, "python"):
        exec(block, names)
    assert {path.name for path in tmp_path.iterdir()} == PAGES[page]


@pytest.mark.parametrize("page", [*PAGES, "docs/doctor.md"])
def test_the_command_lines_of_a_page_parse(page: str) -> None:
    group = typer.main.get_command(app)
    for command, *arguments in commands(page):
        group.commands[command].make_context(command, arguments)  # type: ignore[attr-defined]


def test_the_methods_advised_are_methods() -> None:
    text = (ROOT / "docs/which_method.md").read_text("utf-8")
    advised = set(re.findall(r'method="(\w+)"', text)) - {"auto"}
    assert advised
    assert advised <= set(ats.METHODS)


@pytest.mark.parametrize("page", LONG)
def test_the_refusals_explained_are_messages_of_the_program(page: str) -> None:
    explained = re.findall(r"^\| `([^`]+)` \|", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert len(explained) >= 10
    said = "".join(path.read_text("utf-8") for path in sorted((ROOT / "src").rglob("*.py")))
    said = re.sub(r'"\s*f?"', "", said)  # a message in several lines
    assert [message for message in explained if message not in said] == []


def test_the_japanese_how_to_answers_the_same_questions() -> None:
    english, japanese = ((ROOT / page).read_text("utf-8") for page in LONG)
    for pattern in (r"^(#+) ", r"^\| (`[^`]+`) \|", r"^```(\w*)$"):
        assert re.findall(pattern, english, re.MULTILINE) == re.findall(pattern, japanese, re.MULTILINE)
    code = [[outline(block) for block in blocks(page, "python")] for page in LONG]
    # The story is another, repeated another way.
    assert [one for one, other in zip(*code, strict=True) if one != other and "long = " not in one] == []
    assert not re.findall(
        r"[\u3040-\u9fff、。]\n[\u3040-\u9fff]", re.sub(r"^```.*?^```$", "", japanese, flags=re.M | re.S)
    )
