"""The guides' code runs as it is written: first steps in both languages, and what answers to other libraries' calls."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

import attnscope as ats
from attnscope.cli import app
from test_readme import blocks, commands

# Page → the files that its code writes.
PAGES = {
    "docs/index.md": {"words.html", "attention.html"},
    "docs/start.ja.md": {"words.html", "attention.html"},
    "docs/from_others.md": {"maps.html", "tokens.html", "words.html"},
    "docs/papers.md": {"words.pdf", "words.json", "six.pdf", "methods.bib", "words.tex"},
}


@pytest.mark.parametrize("page", PAGES)
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
    text = (Path(__file__).parents[1] / "docs/which_method.md").read_text("utf-8")
    advised = set(re.findall(r'method="(\w+)"', text)) - {"auto"}
    assert advised
    assert advised <= set(ats.METHODS)
