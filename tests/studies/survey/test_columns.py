"""Columns keep their types, and a value of another type is named, not changed."""

import datetime

import pyarrow as pa

from attnscope.studies.survey.columns import WORDS, kept_column, kept_types, table_of
from attnscope.studies.survey.rows import Row


def test_tables_have_their_schema_even_when_empty() -> None:
    table = table_of({name: [] for name in WORDS}, WORDS)
    assert table.schema.names == list(WORDS)
    assert table.schema.field("score").type == pa.float64()
    assert table_of({"word": ["\ud800"]}, {"word": "string"})["word"].to_pylist() == ["\\ud800"]


def test_the_first_rows_settle_the_types() -> None:
    values = {"int": [1, None], "mixed": [1, "a"], "none": [None, None], "date": [datetime.date(2026, 1, 1), None]}
    rows = [Row(i, "a", kept={name: column[i] for name, column in values.items()}) for i in (0, 1)]
    types = kept_types(rows, list(values))
    assert types == {"int": pa.int64(), "mixed": pa.string(), "none": pa.string(), "date": pa.date32()}


def test_what_does_not_fit_is_named() -> None:
    column, wrong = kept_column([1, "n/a", None, 2.5], pa.int64())
    assert column.to_pylist() == [1, None, None, None]
    assert list(wrong) == [1, 3]
    assert "'n/a' is no int64" in wrong[1]
    column, wrong = kept_column([{"a": 1}, "b"], pa.string())
    assert (column.to_pylist(), wrong) == (['{"a": 1}', "b"], {})
