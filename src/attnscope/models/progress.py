"""A progress bar on standard error for what takes longer than two seconds."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm  # type: ignore[import-untyped]

T = TypeVar("T")


@contextmanager
def bar(description: str, total: int) -> Iterator[Callable[[int], object]]:
    """Yields a function to call with a number of steps done. On a terminal, after two seconds, a bar shows them."""
    with tqdm(desc=description, total=total, delay=2, disable=None, leave=False, dynamic_ncols=True) as shown:
        yield shown.update


def progress(steps: Iterable[T], description: str, total: int) -> Iterator[T]:
    """The steps, with such a bar."""
    with bar(description, total) as done:
        for step in steps:
            yield step
            done(1)
