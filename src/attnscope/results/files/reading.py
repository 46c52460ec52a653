"""Checked reading of saved results: every value has the type that the schema gives it, or the error names it.

The checks raise a ValueError that says what is wrong; `damage` turns it into a DamagedFileError that names the file.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any

from attnscope.errors import AttnscopeError, DamagedFileError

Kinds = tuple[type, ...]
NUMBER: Kinds = (int, float)


def is_a(value: Any, kinds: Kinds) -> bool:
    """Whether a value read from JSON is of one of these types and, if it is a number, finite."""
    if isinstance(value, bool):  # which Python takes for an int
        return bool in kinds
    # json reads NaN, 1e999 and integers beyond every float; a score is none of these.
    if isinstance(value, int | float) and not -sys.float_info.max <= value <= sys.float_info.max:
        return False
    return isinstance(value, kinds)


def checked(data: Any, fields: Mapping[str, Kinds], what: str) -> dict[str, Any]:
    """The values of `fields` in a JSON object; a field that may be null may also be missing."""
    if not isinstance(data, dict):
        raise ValueError(f"{what} is not an object")
    for name, kinds in fields.items():
        if not is_a(data.get(name), kinds):
            raise ValueError(f"{what}: {name!r} is missing or not {_spoken(kinds)}")
    return {name: data.get(name) for name in fields}


def checked_items(items: Sequence[Any], fields: Mapping[str, Kinds], what: str) -> list[dict[str, Any]]:
    """`checked` for each object of an array."""
    return [checked(item, fields, f"{what} {i}") for i, item in enumerate(items)]


def checked_tuple(items: Any, kinds: Kinds, what: str, count: int | None = None) -> tuple[Any, ...]:
    """An array whose values are all of these types; if `count` is given, it has that many."""
    if not isinstance(items, list | tuple) or not all(is_a(item, kinds) for item in items):
        raise ValueError(f"{what} is not an array of {_spoken(kinds)}")
    if count is not None and len(items) != count:
        raise ValueError(f"{what} has {len(items)} values, expected {count}")
    return tuple(items)


def _spoken(kinds: Kinds) -> str:
    return " or ".join("null" if kind is NoneType else kind.__name__ for kind in kinds)


def shallow(record: Any) -> dict[str, Any]:
    """The fields of a dataclass by name; the values are not copied."""
    return {f.name: getattr(record, f.name) for f in fields(record)}


def encoded(document: str) -> bytes:
    """The text in UTF-8. UTF-8 cannot encode half a surrogate pair, so it is written as its JSON escape."""
    return document.encode("utf-8", "backslashreplace")


def text_of(path: str | os.PathLike[str]) -> str:
    """The text of a saved result. Raises FileNotFoundError, or DamagedFileError if it is not UTF-8."""
    try:
        return Path(path).expanduser().read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DamagedFileError(f"{path} is not UTF-8 text ({error}); expected a saved result") from error


def parsed(document: str, source: str) -> Any:
    """The value of a JSON text. Raises DamagedFileError, naming `source`."""
    with not_json(source):
        return json.loads(document)


def first_value(document: str, source: str) -> tuple[Any, str]:
    """The JSON value that a document begins with, and what follows it."""
    start = len(document) - len(document.lstrip())
    with not_json(source):
        data, end = json.JSONDecoder().raw_decode(document, start)
    return data, document[end:]


@contextmanager
def not_json(source: str) -> Iterator[None]:
    """Turns errors of reading JSON into a DamagedFileError that names the file."""
    try:
        yield
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{source} is not JSON ({error}); expected a result saved by attnscope") from error


@contextmanager
def damage(source: str) -> Iterator[None]:
    """Turns errors of reading a saved result into a DamagedFileError that names the file and says what to do."""
    try:
        yield
    except DamagedFileError:
        raise
    except _DAMAGE as error:
        raise DamagedFileError(f"{source} is no result that can be read: {_said(error)}; save it again") from error


@contextmanager
def part(name: str) -> Iterator[None]:
    """Adds to an error which part of the result it is in."""
    try:
        yield
    except _DAMAGE as error:
        raise ValueError(f"in {name}: {_said(error)}") from error


_DAMAGE = (KeyError, TypeError, ValueError, AttributeError, RecursionError, AttnscopeError)


def _said(error: BaseException) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
