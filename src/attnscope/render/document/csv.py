"""Tables as CSV: texts stay texts, in a parser and in a spreadsheet."""

import re
from collections.abc import Iterable

# What a spreadsheet would take for a formula, full-width signs too. A sign alone is not one, and a number is harmless.
_FORMULA = re.compile(r"[=+\-@＝＋－＠\t\r\n].", re.DOTALL)
_NUMBER = re.compile(r"[+-]\d+(?:\.\d+)?")


def csv_of(rows: Iterable[Iterable[object]]) -> bytes:
    """The rows, UTF-8. None is an empty cell.

    A text that a spreadsheet would take for a formula gets an apostrophe in front, which spreadsheets read as "a text
    follows"; in JSON it stays as it is.

    >>> print(csv_of([["word", "score"], ["=1+1", -0.5], ["a, b", None]]).decode(), end="")
    word,score
    '=1+1,-0.5
    "a, b",
    """
    lines = (",".join(map(_cell, row)) for row in rows)
    return "".join(line + "\n" for line in lines).encode("utf-8", "backslashreplace")


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, str) and _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        text = "'" + text
    # A bare CR ends a line as well, but Python's own writer does not quote it before 3.13.
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text
