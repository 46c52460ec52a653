"""The texts in a table or in lines."""

import csv
import json as json_module
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from attnscope.cli import options
from attnscope.errors import InputError, TextError


@dataclass(frozen=True)
class Item:
    """One of many texts. id: what its rows are called; None: a hash of the text. The others: its own, if any."""

    text: str
    target: str | int | None = None
    id: str | None = None
    text_pair: str | None = None
    similar_to: str | None = None


def items_of(source: options.Source) -> list[Item]:
    """The texts in a table or in lines. Raises InputError, naming what is wrong and where."""
    if source.text is not None:
        raise TextError("both a text and a table or lines of texts were given; give one of them")
    document = options.read_document(source.file)
    suffix = "" if source.file is None else source.file.suffix.lower()
    what = "standard input" if source.file is None else str(source.file)
    if source.lines:
        items = [Item(line.removesuffix("\r")) for line in document.split("\n") if line.strip()]
    elif suffix in (".jsonl", ".ndjson"):
        items = [_item(row, source, what, where) for row, where in json_rows(document, what)]
    else:
        items = [_item(row, source, what, where) for row, where in _csv_rows(document, suffix, source, what)]
    if not items:
        raise TextError(f"{what} has no texts: give one a line")
    return items


def json_rows(document: str, what: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects of JSON lines, and where each is; a text stands for {"text": …}. Raises InputError."""
    for number, line in enumerate(document.split("\n"), 1):
        if line.strip():
            where = f"line {number} of {what}"
            try:
                row = json_module.loads(line)
            except ValueError as error:
                raise InputError(f"{where} is not JSON ({error}): write one object a line") from error
            if not isinstance(row, dict | str):
                raise InputError(f'{where} is no text: write {{"text": "…", "target": "…"}}, or "…"')
            yield {"text": row} if isinstance(row, str) else row, where


def _csv_rows(document: str, suffix: str, source: options.Source, what: str) -> Iterator[tuple[dict[str, Any], str]]:
    csv.field_size_limit(sys.maxsize if sys.maxsize < 2**31 else 2**31 - 1)
    try:
        reader = csv.DictReader(document.splitlines(keepends=True), delimiter="\t" if suffix == ".tsv" else ",")
        columns = list(reader.fieldnames or [])
        for row in reader:
            where = f"line {reader.line_num} of {what}"
            if None in row:
                raise InputError(f"{where} has more cells than {what} has columns ({', '.join(columns)})")
            if len(columns) == 1 and source.text_column is None:
                row = {"text": row[columns[0]]}
            yield row, where
    except csv.Error as error:
        raise InputError(f"{what} is not CSV ({error})") from error


def _item(row: dict[str, Any], source: options.Source, what: str, where: str) -> Item:
    def cell(asked: str | None, default: str) -> Any:
        if asked is not None and asked not in row:
            raise InputError(f"{where} has no {asked!r}; {what} has {', '.join(map(repr, row))}")
        return row.get(asked or default)

    if source.text_column is None and "text" not in row and "messages" in row:
        row = {**row, "text": row["messages"]}  # a chat
    if source.text_column is None and "text" not in row:
        raise InputError(
            f"{where} has no 'text'; it has {', '.join(map(repr, row))}: name the texts' column with --text-column"
        )
    text, target, own, second = (
        cell(source.text_column, "text"),
        cell(source.target_column, "target"),
        cell(source.id_column, "id"),
        cell(source.pair_column, "text_pair"),
    )
    return Item(
        "" if text is None else text,
        None if target == "" else target,
        None if own is None else str(own),
        second or None,
        row.get("similar_to") or None,
    )
