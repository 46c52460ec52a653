"""The READMEs and the guide to inputs: their code runs, their numbers are the model's; both READMEs are as complete."""

import ast
import re
import shlex
import sys
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any

import pytest
import typer.main
from tiny_models import pair_reader

import attnscope as ats
from attnscope.cli import app, main

ROOT = Path(__file__).parents[1]
GUIDE = "docs/inputs.md"
READMES = ["README.md", "README.ja.md"]
PAGES = [*READMES, "CHANGELOG.md", "CONTRIBUTING.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
# A result whose strongest words are shown: "a = ats.attention(…)  # → cat 0.90, The 0.09".
CLAIM = re.compile(r"^(\w+) = .*# → (.+)$")
JAPANESE = re.compile(r"[\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]")


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(name: str, language: str) -> list[str]:
    """The fenced code blocks in one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(name), re.MULTILINE | re.DOTALL)


def commands(name: str) -> list[list[str]]:
    """The arguments of every attnscope command, without comments, pipes and redirections."""
    lines = [line for block in blocks(name, "sh") for line in block.splitlines()]
    split = [shlex.split(line, comments=True) for line in lines]
    starts = [words[words.index("attnscope") + 1 :] for words in split if "attnscope" in words]
    return [list(takewhile(lambda word: word not in ("|", ">"), words)) for words in starts]


def outline(code: str) -> str:
    """Code without comments and the contents of its strings: what must be the same in both languages."""
    code = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', code)
    return re.sub(r"\s*#.*|(?<=--query )\S+", "", code)


def measured(page: str) -> list[list[str]]:
    """The numbers of every row of a page's tables; the first two columns are words."""
    rows = re.findall(r"^\|.*\|$", page, re.MULTILINE)
    return [re.findall(r"\d[\d.,e-]*", "|".join(row.split("|")[3:])) for row in rows]


@pytest.mark.parametrize("name", READMES)
def test_the_python_lines_run_and_give_the_numbers_shown(
    name: str, smollm2: ats.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = blocks(name, "python")
    names: dict[str, Any] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ats, "load", lambda: smollm2)
    claims = {match[1]: match[2] for line in code.splitlines() if (match := CLAIM.match(line))}
    assert len(claims) == 2
    for statement in ast.parse(code).body:
        # The Japanese lines are the English ones but for their texts: those without numbers need not run twice.
        if name == READMES[0] or not claims.keys() <= names.keys():
            exec(ast.unparse(statement), names)
    for result, shown in claims.items():
        strongest = sorted(names[result].words, key=lambda word: -abs(word.score))
        for word, part in zip(strongest, shown.split(", "), strict=False):
            text, score = part.split(" ")
            assert word.text == text
            assert word.score == pytest.approx(float(score), abs=0.02)


def test_the_guides_python_runs_from_its_first_line_to_its_last(
    smollm2: ats.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = blocks(GUIDE, "python")
    names: dict[str, Any] = {"reader": pair_reader("QuestionAnswering"), "passage": "It was built in 1607."}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ats, "load", lambda: smollm2)
    for block in code:
        exec(block, names)
    results = names["results"]
    assert [type(one) for one in results] == [ats.Attribution, ats.Failed, ats.Attribution]
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {"chat.html", "words.html", "scores.csv", *(f"pages/{name}.html" for name in ("0", "2", "index"))}
    shown = re.search(r"results\.failures  # (.+)…", "\n".join(code))
    assert shown is not None
    assert str(results.failures).startswith(shown[1])


@pytest.mark.parametrize("name", [*READMES, GUIDE])
def test_the_command_lines_parse(name: str) -> None:
    group = typer.main.get_command(app)
    lines = commands(name)
    if name in READMES:
        assert {words[0] for words in lines} == set(group.commands)  # type: ignore[attr-defined]
    for command, *arguments in lines:
        group.commands[command].make_context(command, arguments)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", READMES)
def test_the_output_shown_is_what_the_command_prints(
    name: str, smollm2: ats.Model, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (shown,) = blocks(name, "text")
    monkeypatch.setattr(ats, "load", lambda *_, **__: smollm2)
    monkeypatch.setattr(sys, "argv", ["attnscope", *commands(name)[0]])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    printed = capsys.readouterr().out.splitlines()[-len(shown.splitlines()) :]
    for line, expected in zip(printed, shown.splitlines(), strict=True):
        cells, numbers = line.split(), expected.split()
        assert cells[-1] == numbers[-1]
        if cells[0] != "scaled":
            assert float(cells[1]) == pytest.approx(float(numbers[1]), rel=0.01, abs=0.01)


def test_the_japanese_readme_is_as_complete_as_the_english_one() -> None:
    english, japanese = (read(name) for name in READMES)
    headings, tables, fences = r"^(#+) ", r"^\|[-:|]+\|$", r"^```(\w*)$"
    for pattern in (headings, tables, fences):
        assert re.findall(pattern, english, re.MULTILINE) == re.findall(pattern, japanese, re.MULTILINE)
    pages = r"\]\((docs/[\w.-]+\.md|C[A-Z]+\.md|https:[^)]+)\)"
    assert sorted(re.findall(pages, english)) == sorted(re.findall(pages, japanese))
    for language in ("python", "sh"):
        assert [outline(code) for code in blocks(READMES[0], language)] == [
            outline(code) for code in blocks(READMES[1], language)
        ]
    assert measured(english) == measured(japanese)


def test_no_line_breaks_inside_a_japanese_paragraph() -> None:
    """Markdown draws such a break as a space, which Japanese does not have."""
    prose = re.sub(r"^```.*?^```$", "", read("README.ja.md"), flags=re.MULTILINE | re.DOTALL)
    lines = prose.splitlines()
    broken = [
        line for line, after in pairwise(lines)
        if JAPANESE.search(line) and after.strip() and not line.startswith(("|", " ")) and not after.startswith("|")
    ]  # fmt: skip
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_to_a_file(page: str) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"", read(page))
    paths = [link.split("#")[0] for pair in targets for link in pair if link and not re.match(r"[a-z]+:|#", link)]
    missing = [path for path in paths if not ((ROOT / page).parent / path).exists()]
    assert missing == []
