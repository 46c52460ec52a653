"""The table of any result, or of many, in a file: CSV, JSON lines, Parquet."""

import importlib
import io
import json
import math
from collections.abc import Iterator
from typing import Any

from attnscope.render.document.csv import csv_of
from attnscope.results.base import Result
from attnscope.results.collection import Results
from attnscope.results.files.reading import encoded
from attnscope.results.tables import arrow_library, arrow_table

Tabular = Result | Results[Any]
_PARQUET = "a .parquet file"


def render_csv(result: Tabular) -> bytes:
    """The rows under their names; a missing value is an empty cell."""
    table = result.columns()
    return csv_of([list(table), *_rows(result)])


def render_lines(result: Tabular) -> bytes:
    """A JSON object for each row; a missing value is null."""
    names = list(result.columns())
    lines = (json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n" for row in _rows(result))
    return encoded("".join(lines))


def render_parquet(result: Tabular) -> bytes:
    """A Parquet file. Raises MissingExtraError where neither pyarrow nor polars is installed."""
    buffer = io.BytesIO()
    table = arrow_table(result.columns(), _PARQUET)
    if hasattr(table, "write_parquet"):  # polars
        table.write_parquet(buffer)
    else:
        importlib.import_module("pyarrow.parquet").write_table(table, buffer)
    return buffer.getvalue()


def need_arrow() -> None:
    """Raises MissingExtraError where nothing is installed that writes Parquet."""
    arrow_library(_PARQUET)


def _rows(result: Tabular) -> Iterator[tuple[object, ...]]:
    columns = [[_plain(value) for value in column.tolist()] for column in result.columns().values()]
    return zip(*columns, strict=True)


def _plain(value: object) -> object:
    """The value; None where a number is missing or infinite, which JSON does not have."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
