"""The results of many texts: a list that is also a table, and what stands for a text that failed.

results = attnscope.explain(model, reviews, target=labels, on_error="keep")
results[0]                  the result of the first text
results.failures            {12: Failed("", "TextError", "the text is empty…")}
results.to_pandas()         all of them below each other; `id` joins the rows with those of other runs.
                            Also `polars.DataFrame(results.columns())`
"""

import hashlib
import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.results.attribution import Attribution
from attnscope.results.base import Result
from attnscope.results.per_token import PerToken
from attnscope.results.tables import Columns, counts, data_frame, joined, numbers, texts

R = TypeVar("R")


@dataclass(frozen=True)
class Failed:
    """A text that has no result. error: the class of the error; message: what it says.

    >>> both = ats.explain(model, ["A warm film.", ""], method="gradient", on_error="keep")
    >>> print(both[1])
    TextError: the text is empty: give at least one word
    """

    text: str
    error: str
    message: str

    def __str__(self) -> str:
        return f"{self.error}: {self.message}"


class Results(list[R]):
    """The results of a list of texts, in its order. Where errors are kept, a Failed stands for a text without one.

    ids:   what the rows of a text are called; by default a hash of the text, the same in every run.
    first: the number of the first text, where these are the results of a part of a list.

    >>> reviews = ["A warm film. It is", "A dull film. It is"]
    >>> both = ats.explain(model, reviews, method="deletion", target=[" good", " bad"])
    >>> both.to_pandas()[["number", "word", "score"]].round(1).tail(2)
        number word  score
    10       1   It    0.8
    11       1   is    4.3
    """

    def __init__(self, results: Iterable[R], ids: Sequence[str] | None = None, first: int = 0) -> None:
        super().__init__(results)
        self.first = first
        self.ids = list(ids) if ids is not None else [_hash(_text_of(result)) for result in self]
        if len(self.ids) != len(self):
            raise InputError(f"{len(self.ids)} ids were given for {len(self)} results: give one for each")

    @property
    def failures(self) -> dict[int, Failed]:
        """The texts without a result, by their number."""
        return {self.first + i: result for i, result in enumerate(self) if isinstance(result, Failed)}

    def columns(self, of: str | None = None) -> Columns:
        """The tables of all results, one below the other, as `Result.columns` gives them: name -> array (row,).

        In front of each row stand `id` and `number`, its text's; behind it what was `explained`, its `value`, and the
        `error` of a text that failed, which has one row. Raises InputError for results of different kinds.
        """
        tables = {
            number: _flat(result).columns(of) for number, result in enumerate(self) if not isinstance(result, Failed)
        }
        if len({tuple(table) for table in tables.values()}) > 1:
            raise InputError("the results have different tables: make a table of each kind by itself")
        empty: Columns = next(iter(tables.values()), {"word": texts([]), "score": numbers([])})
        rows = []
        for number, result in enumerate(self):
            table = tables.get(number) or {name: _lacking(column) for name, column in empty.items()}
            count = len(next(iter(table.values())))
            rows.append(
                {
                    "id": texts([self.ids[number]] * count),
                    "number": counts([self.first + number] * count),
                    **table,
                    **_about(result, count),
                }
            )
        return joined(rows)

    def to_pandas(self, of: str | None = None) -> Any:
        """`columns(of)` as a pandas.DataFrame. Raises MissingExtraError where pandas is not installed."""
        return data_frame(self.columns(of))

    def _repr_html_(self) -> str:
        # As of a single result: a notebook draws it, though results know nothing about renderers.
        html: str = importlib.import_module("attnscope.render").notebook_html(self)
        return html


def _flat(result: object) -> Result:
    if not isinstance(result, Result):
        raise InputError(
            f"a table is made of results, not of a {type(result).__name__}: with a list of queries take one list by "
            "itself, such as [row for rows in results for row in rows]"
        )
    return result


def _about(result: object, count: int) -> Columns:
    """What is known of the whole text, on each of its rows."""
    explained: str | None = None
    value: float | None = None
    if isinstance(result, PerToken):
        explained = result.first.asked.target
    elif isinstance(result, Attribution):
        explained, value = result.asked.target, result.measured.value
    message = str(result) if isinstance(result, Failed) else None
    return {
        "explained": texts([explained] * count),
        "value": numbers([value] * count),
        "error": texts([message] * count),
    }


def _lacking(column: NDArray[Any]) -> NDArray[Any]:
    """The one cell of a text that failed, of the column's type."""
    if column.dtype.kind == "O":
        return texts([None])
    return np.full(1, np.nan if column.dtype.kind == "f" else 0, column.dtype)


def _text_of(result: object) -> str:
    while isinstance(result, list) and result:
        result = result[0]
    if isinstance(result, PerToken):
        result = result.first
    found = getattr(result, "text", None)
    return found if isinstance(found, str) else repr(result)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]
