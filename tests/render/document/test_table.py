"""The table of a result in a file, whichever library reads it."""

import csv
import io
import json
import sys

import pandas as pd
import polars as pl
import pytest
from drawn_results import RESULTS, result

from attnscope.errors import MissingExtraError
from attnscope.render import RENDERERS, render
from attnscope.render.document.table import render_csv, render_lines, render_parquet
from attnscope.results.attribution import Attribution
from attnscope.results.collection import Failed, Results

MANY = Results([result("a, b"), Failed("=1+1", "TextError", 'no "text"'), RESULTS["japanese"]])


def test_a_single_result_has_a_table_too() -> None:
    drawn = RESULTS["japanese"]
    assert {".csv", ".parquet"} <= set(RENDERERS[Attribution])
    rows = list(csv.DictReader(io.StringIO(render(drawn, ".csv").decode())))
    assert [row["word"] for row in rows] == [word.text for word in drawn.words]
    assert [float(row["score"]) for row in rows] == drawn.scores.tolist()
    assert pd.read_parquet(io.BytesIO(render(drawn, ".parquet")))["word"].tolist() == [row["word"] for row in rows]


def test_three_formats_say_the_same() -> None:
    expected = MANY.to_pandas()
    lines = [json.loads(line) for line in render_lines(MANY).decode().splitlines()]
    read = {
        "csv": pd.read_csv(io.BytesIO(render_csv(MANY))),
        "jsonl": pd.DataFrame(lines),
        "parquet": pd.read_parquet(io.BytesIO(render_parquet(MANY))),
    }
    for name, table in read.items():
        assert list(table) == list(expected), name
        assert len(table) == len(expected)
        assert table["number"].tolist() == expected["number"].tolist()
        assert table["score"].dropna().tolist() == pytest.approx(expected["score"].dropna().tolist())
        assert table["error"].dropna().tolist() == ['TextError: no "text"']


def test_parquet_by_polars_or_a_word_of_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert pl.read_parquet(render_parquet(MANY)).height == len(MANY.to_pandas())
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingExtraError, match="pip install pyarrow"):
        render_parquet(MANY)
