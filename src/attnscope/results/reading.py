"""Checked reading of saved JSON: every value is of the type that the schema says, or the message names it.

The checks raise ValueError saying what is wrong; `Result.from_dict` makes a DamagedFileError of it that names the file.
"""

import sys
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any

Kinds = tuple[type, ...]
NUMBER: Kinds = (int, float)


def is_a(value: Any, kinds: Kinds) -> bool:
    """Whether a value that json has read is of one of these types, and a number finite."""
    if isinstance(value, bool):  # which Python takes for an int
        return bool in kinds
    # json reads NaN, 1e999 and integers beyond every float; a score is none of these.
    if isinstance(value, int | float) and not -sys.float_info.max <= value <= sys.float_info.max:
        return False
    return isinstance(value, kinds)


def checked(data: Any, fields: Mapping[str, Kinds], what: str) -> dict[str, Any]:
    """Of a JSON object the values of `fields`; one that may be null may be missing too."""
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
    """An array whose values are all of these types, and `count` of them if that is said."""
    if not isinstance(items, list | tuple) or not all(is_a(item, kinds) for item in items):
        raise ValueError(f"{what} is not an array of {_spoken(kinds)}")
    if count is not None and len(items) != count:
        raise ValueError(f"{what} has {len(items)} values, expected {count}")
    return tuple(items)


def _spoken(kinds: Kinds) -> str:
    return " or ".join("null" if kind is NoneType else kind.__name__ for kind in kinds)
