"""A progress bar for what takes longer than two seconds: on a terminal's standard error, or in a notebook."""

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

with warnings.catch_warnings():
    # In a notebook without ipywidgets: a bar of text does as well.
    warnings.simplefilter("ignore")
    from tqdm.auto import tqdm  # type: ignore[import-untyped]

T = TypeVar("T")


@contextmanager
def bar(description: str, total: int) -> Iterator[Callable[[int], object]]:
    """Yields a function to call with a number of steps done. After two seconds a bar shows them."""
    # None: only where standard error is a terminal. A notebook's is none, and somebody looks at it all the same.
    disable = False if "ipykernel.zmqshell" in sys.modules else None
    with tqdm(desc=description, total=total, delay=2, disable=disable, leave=False, dynamic_ncols=True) as shown:
        yield shown.update


def progress(steps: Iterable[T], description: str, total: int) -> Iterator[T]:
    """The steps, with such a bar."""
    with bar(description, total) as done:
        for step in steps:
            yield step
            done(1)
