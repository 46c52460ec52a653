"""Results as Markdown tables, for notes and pull requests."""

import re
from collections.abc import Iterable

import numpy as np

from attnscope.render.content.caption import caption_of, number
from attnscope.render.content.pieces import columns, visible
from attnscope.results.attribution import Attribution
from attnscope.results.base import Result
from attnscope.results.files.reading import encoded

# What Markdown, or HTML and mathematics in it, would take for markup: anywhere, and at the beginning of a line.
_MARKUP = str.maketrans({character: f"\\{character}" for character in "\\`*_[]<>|~$&"})
# A cell shows so many characters of a passage that has a name.
_MOST_OF_A_PASSAGE = 60
_BLOCK = re.compile(r"^(?:[#+=-]|\d+[.)](?=\s|$))")


def render_markdown(result: Result) -> bytes:
    """The result's default table as Markdown; above the table of one text, its title, facts and notes."""
    parts = []
    if isinstance(result, Attribution):
        caption = caption_of(result)
        facts = " · ".join(f"{escaped(name)} {escaped(value)}" for name, value in caption.facts)
        parts += [f"**{escaped(caption.title)}**", facts, *map(escaped, caption.notes)]
    table = result.columns()
    if isinstance(result, Attribution) and result.asked.segments:
        # A passage with a name: its beginning says which one it is.
        table["word"] = np.array([_begun(str(said)) for said in table["word"]], dtype=object)
    rows = zip(*(column.tolist() for column in table.values()), strict=True)
    numeric = [np.issubdtype(column.dtype, np.number) for column in table.values()]
    parts.append(_table(list(table), numeric, rows))
    return encoded("\n\n".join(parts) + "\n")


def _begun(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_OF_A_PASSAGE else line[: _MOST_OF_A_PASSAGE - 1] + "…"


def _table(names: list[str], numeric: list[bool], rows: Iterable[Iterable[object]]) -> str:
    """Rows padded so that the source reads as a table too: numbers on the right, texts on the left."""
    cells = [[name.replace("_", " ") for name in names], *([_cell(value) for value in row] for row in rows)]
    widths = [max(3, *(columns(row[i]) for row in cells)) for i in range(len(names))]
    rule = [f"{'-' * (width - right)}{':' * right}" for width, right in zip(widths, numeric, strict=True)]
    return "\n".join(_line(row, widths, numeric) for row in (cells[0], rule, *cells[1:]))


def _line(cells: list[str], widths: list[int], numeric: list[bool]) -> str:
    padded = []
    for cell, width, right in zip(cells, widths, numeric, strict=True):
        space = " " * (width - columns(cell))
        padded.append(space + cell if right else cell + space)
    return f"| {' | '.join(padded)} |"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if np.isnan(value) else number(value)
    return "" if value is None else escaped(str(value))


def escaped(text: str) -> str:
    """The text on one line, escaped so that Markdown finds no markup in it."""
    safe = visible(text.strip()).translate(_MARKUP)
    return _BLOCK.sub(lambda match: f"{match[0][:-1]}\\{match[0][-1]}", safe)
