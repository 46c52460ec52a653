"""Texts in CSV stay texts, in a parser and in a spreadsheet."""

import csv
import io

import pytest

from attnscope.render.document.csv import csv_of


@pytest.mark.parametrize("text", ["a,b", 'say "x"', "one\rtwo", "one\r\ntwo\n", "", " space ", "nul\0", "本"])
def test_a_parser_reads_what_was_written(text: str) -> None:
    written = csv_of([["word", text], [text, "end"]]).decode()
    assert list(csv.reader(io.StringIO(written, newline=""))) == [["word", text], [text, "end"]]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+cmd|'/c calc'!A0", "-2+3", "@SUM(1)", "＝1+1", "\t=1", "\r=1", "\n=1", "=\n1"]
)
def test_a_spreadsheet_calculates_no_text(text: str) -> None:
    (row,) = csv.reader(io.StringIO(csv_of([[text, 1]]).decode(), newline=""))
    assert row == ["'" + text, "1"]


@pytest.mark.parametrize("cell", ["-", "=", "+", "@", "-5", "+0.25", "a=1", -0.5, None])
def test_numbers_and_bare_signs_stay_as_they_are(cell: object) -> None:
    assert csv_of([["a", cell]]) == f"a,{'' if cell is None else cell}\n".encode()
