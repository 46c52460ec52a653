"""Markdown: a table that a reader of Markdown takes for one, and nothing in it that it takes for markup."""

import re

import pytest
from drawn_results import EVERY, result

from attnscope.render import FORMATS, RENDERERS, render

# A citation is its answer with footnotes.
TABLES = [name for name, drawn in EVERY.items() if RENDERERS[type(drawn)][".md"] == FORMATS[".md"]]


def rows_of(document: str) -> list[list[str]]:
    """The cells of the table, as a reader of Markdown splits them."""
    lines = [line for line in document.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


@pytest.mark.parametrize("name", TABLES)
def test_every_result_is_a_table_of_its_columns(name: str) -> None:
    drawn = EVERY[name]
    head, rule, *rows = rows_of(render(drawn, ".md").decode())
    table = drawn.columns()
    assert [cell.replace(" ", "_") for cell in head] == list(table)
    assert all(re.fullmatch("-+:?", cell) for cell in rule)
    assert len(rows) == len(next(iter(table.values())))
    assert {len(row) for row in rows} == {len(head)}


def test_numbers_stand_on_the_right_and_words_on_the_left() -> None:
    document = render(result("The 熊本 castle", [0.5, 0.25, 1.0]), ".md").decode()
    table = document[document.index("| word") :]
    assert table == (
        "| word   | start | end | score | scaled |\n"
        "| ------ | ----: | --: | ----: | -----: |\n"
        "| The    |     0 |   3 |   0.5 | 0.3333 |\n"
        "| 熊本   |     4 |   6 |  0.25 |      0 |\n"
        "| castle |     7 |  13 |     1 |      1 |\n"
    )
    assert document.startswith("**Importance by gradient**\n\nmodel tests/tiny · method gradient")


@pytest.mark.parametrize("hostile", ["a|b", "*x*", "<b>", "[x](y)", "`x`", "$x$", "#1", "1.", "-", "a\nb", "\u202e"])
def test_a_word_is_no_markup(hostile: str) -> None:
    drawn = result(hostile + " x", [1.0, 0.0], pattern=re.escape(hostile) + "|x")
    _, _, (word, *_), _ = rows_of(render(drawn, ".md").decode())
    assert not re.search(r"(?<!\\)[|*<\[`$]|^[#-]|^1\.", word)
    assert "\u202e" not in word
