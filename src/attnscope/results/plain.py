"""What a caller hands over, in Python's own numbers: numpy's and torch's mean what they say, and can be saved."""

from collections.abc import Mapping
from typing import Any

from attnscope.errors import InputError


def plain_numbers(value: Any) -> Any:
    """`value` with every number of numpy or torch in it as Python's own; arrays of several numbers stay as they are.

    >>> import numpy as np
    >>> plain_numbers([np.int64(1), "a", (np.float32(0.5), None)])
    [1, 'a', (0.5, None)]
    """
    if getattr(value, "shape", None) == ():  # numpy's scalars, and arrays and tensors without an axis
        return value.item()
    if type(value) in (list, tuple):
        return type(value)(plain_numbers(part) for part in value)
    if isinstance(value, Mapping):
        return {name: plain_numbers(part) for name, part in value.items()}
    return value


def plain_lists(value: Any) -> Any:
    """The same, and an array as a list."""
    return value.tolist() if hasattr(value, "tolist") else plain_numbers(value)


def listed(values: Any) -> list[Any]:
    """A list of what an array, a column of a table, a generator or another sequence holds, in Python's own numbers.

    >>> listed(word for word in ("a", "b"))
    ['a', 'b']
    """
    return [plain_numbers(value) for value in (values.tolist() if hasattr(values, "tolist") else values)]


def label_list(labels: Any) -> tuple[str | int, ...]:
    """The labels. Raises InputError for one text, whose letters would be labels.

    >>> label_list([" good", " bad"])
    (' good', ' bad')
    """
    if isinstance(labels, str):
        raise InputError(f"labels={labels!r} is one label: give a list, such as [' positive', ' negative']")
    return tuple(plain_lists(labels))


def is_missing(value: Any) -> bool:
    """Whether a table has no value here: None, NaN, pandas' NA.

    >>> [is_missing(value) for value in (None, float("nan"), 0, "")]
    [True, True, False, False]
    """
    return value is None or (isinstance(value, float) and value != value) or type(value).__name__ == "NAType"
