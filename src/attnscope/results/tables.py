"""Results as tables: columns of numpy arrays, for pandas, polars and other readers of Arrow.

A table is a dict of arrays, which pandas and polars both read as it is; neither has to be installed. Readers that take
a result itself use the Arrow PyCapsule interface. The older interchange protocol, `__dataframe__`, is not offered:
pandas has deprecated it and polars no longer reads it.
"""

import importlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import MissingExtraError
from attnscope.results.files.reading import encoded

Columns = dict[str, NDArray[Any]]


def texts(values: Iterable[str | None]) -> NDArray[np.object_]:
    """A column of texts (row,). Half a surrogate pair, which Arrow cannot hold, is written as its escape."""
    return np.array([None if value is None else encoded(value).decode() for value in values], dtype=object)


def numbers(values: Iterable[float | None]) -> NDArray[np.float64]:
    """A column of numbers (row,), NaN where there is no value."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def counts(values: Iterable[int]) -> NDArray[np.int64]:
    """A column of whole numbers (row,)."""
    return np.array(list(values), dtype=np.int64)


def flags(values: Iterable[bool]) -> NDArray[np.bool_]:
    """A column of booleans (row,)."""
    return np.array(list(values), dtype=bool)


def joined(tables: Iterable[Columns]) -> Columns:
    """Tables with the same columns, one below the other."""
    every = list(tables)
    return {name: np.concatenate([table[name] for table in every]) for name in every[0]} if every else {}


def data_frame(columns: Columns) -> Any:
    """A pandas.DataFrame. Raises MissingExtraError where pandas is not installed."""
    try:
        pandas = importlib.import_module("pandas")
    except ImportError as error:
        raise MissingExtraError(
            "to_pandas needs pandas, which is not installed: pip install pandas, or take columns(), a dict of arrays"
        ) from error
    return pandas.DataFrame(columns)


def arrow_stream(columns: Columns, requested_schema: object = None) -> object:
    """An Arrow stream of the columns, by whichever library is installed. Raises MissingExtraError if none is."""
    stream: object = arrow_table(columns, "an Arrow stream").__arrow_c_stream__(requested_schema)
    return stream


def arrow_table(columns: Columns, what: str) -> Any:
    """The columns as a pyarrow.Table or else a polars.DataFrame. Raises MissingExtraError if neither is installed."""
    library = arrow_library(what)
    return _ARROW[library.__name__](library, columns)


def arrow_library(what: str) -> Any:
    """Whichever is installed of what makes Arrow tables. Raises MissingExtraError, which says what needs it."""
    for module in _ARROW:
        try:
            return importlib.import_module(module)
        except ImportError:
            continue
    raise MissingExtraError(
        f"{what} needs one of {', '.join(_ARROW)}, and none is installed: pip install pyarrow, or take "
        "columns(), a dict of arrays"
    )


# Text columns are declared as such: for a column without any text the libraries would have to guess.
def _with_pyarrow(pyarrow: Any, columns: Columns) -> Any:
    return pyarrow.table(
        {
            name: pyarrow.array(column, pyarrow.string() if _is_text(column) else None)
            for name, column in columns.items()
        }
    )


def _with_polars(polars: Any, columns: Columns) -> Any:
    return polars.DataFrame(
        [
            polars.Series(name, column.tolist(), polars.String) if _is_text(column) else polars.Series(name, column)
            for name, column in columns.items()
        ]
    )


def _is_text(column: NDArray[Any]) -> bool:
    return column.dtype.kind == "O"


# Libraries that can provide an Arrow stream, and how each makes a table from columns.
_ARROW: dict[str, Callable[[Any, Columns], Any]] = {"pyarrow": _with_pyarrow, "polars": _with_polars}
