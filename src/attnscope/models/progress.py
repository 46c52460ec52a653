"""A progress bar on standard error for what takes longer than two seconds."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


@contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[int], object]]:
    """Yields a function to be told of steps done. On a terminal, and after two seconds: a bar on standard error."""
    with tqdm(desc=what, total=total, delay=2, disable=None, leave=False, dynamic_ncols=True) as shown:
        yield shown.update


def progress(steps: Iterable[T], what: str, total: int) -> Iterator[T]:
    """The steps, with such a bar."""
    with bar(what, total) as done:
        for step in steps:
            yield step
            done(1)
