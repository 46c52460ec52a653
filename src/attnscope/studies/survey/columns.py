"""The tables of a part, as arrow tables: their schemas, and the columns that were carried through."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from attnscope.results.files.folder import arrow
from attnscope.results.files.reading import encoded
from attnscope.studies.survey.rows import Row

# Column -> the type of pyarrow that holds it, by the name of its function.
WORDS = {
    "id": "string", "number": "int64", "word": "string", "start": "int32", "end": "int32", "score": "float64",
    "method": "string", "target": "string", "segment": "string", "rationale": "bool_",
}  # fmt: skip
TEXTS = {
    "id": "string", "number": "int64", "text": "string", "gold": "string", "prediction": "string",
    "probability": "float64", "target": "string", "value": "float64", "tokens": "int32", "seconds": "float64",
    "error": "string",
}  # fmt: skip


def table_of(columns: Mapping[str, Sequence[Any]], schema: Mapping[str, str]) -> Any:
    """An arrow table of these columns. Half a surrogate pair, which Arrow cannot hold, is written as its escape."""
    pa = arrow()
    arrays = {}
    for name, kind in schema.items():
        values = columns[name]
        if kind == "string":
            values = [None if value is None else _text(value) for value in values]
        arrays[name] = pa.array(values, getattr(pa, kind)())
    return pa.table(arrays)


def _text(value: str) -> str:
    return value if value.isascii() else encoded(value).decode()


def kept_types(rows: Sequence[Row], names: Sequence[str]) -> dict[str, Any]:
    """The arrow types of carried columns, as the first rows have them; text where these have several."""
    pa = arrow()
    found = {}
    for name in names:
        try:
            kind = pa.array([row.kept.get(name) for row in rows]).type
        except (pa.lib.ArrowException, TypeError, ValueError):
            kind = pa.string()
        found[name] = pa.string() if pa.types.is_null(kind) else kind
    return found


def kept_column(values: Sequence[Any], kind: Any) -> tuple[Any, dict[int, str]]:
    """A carried column, and of the values that are of another type why they are not in it, by their place."""
    pa = arrow()
    if pa.types.is_string(kind):
        values = [
            value if value is None or isinstance(value, str) else json.dumps(value, default=str) for value in values
        ]
        return pa.array([None if value is None else _text(value) for value in values], kind), {}
    fitting, wrong = list(values), {}
    for place, value in enumerate(values):
        if not _fits(value, kind):
            fitting[place] = None
            wrong[place] = f"{value!r} is no {kind}, as the column's first values are"
    return pa.array(fitting, kind), wrong


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value is the same in a column of this type: Arrow cuts 2.5 down to 2 without a word."""
    pa = arrow()
    try:
        held = pa.array([value], kind)[0].as_py()
    except (pa.lib.ArrowException, TypeError, ValueError):
        return False
    return held is None or held != held or bool(held == value)
