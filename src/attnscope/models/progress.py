"""A progress bar for what takes longer than two seconds: on a terminal's standard error, or in a notebook.

Whoever runs the work may hear of its steps instead, such as a server that shows them on a page.
What takes hours (a corpus) has one bar for all of it, none for its steps, and a line in the log where nobody sees bars.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from tqdm import tqdm  # type: ignore[import-untyped]

_log = logging.getLogger(__name__)

T = TypeVar("T")
# What is done, how many of its steps are done, and how many there are.
Hear = Callable[[str, int, int], object]
# Seconds until a bar is shown, and between two lines of the log.
_DELAY, _BETWEEN_LINES = 2.0, 30.0

# Whether a bar is shown already, of which everything else is a step.
_is_step: ContextVar[bool] = ContextVar("_is_step", default=False)
# Who hears of the steps.
_hear: ContextVar[Hear | None] = ContextVar("_hear", default=None)


@contextmanager
def steps_heard(hear: Hear) -> Iterator[None]:
    """Inside, `hear` is told of each step of the work, and no bar is drawn. What it raises ends the work."""
    token = _hear.set(hear)
    try:
        yield
    finally:
        _hear.reset(token)


@contextmanager
def bar(description: str, total: int) -> Iterator[Callable[[int], object]]:
    """Yields a function to call with a number of steps done. After two seconds a bar shows them."""
    if (hear := _hear.get()) is not None:
        yield _counter(hear, description, total)
        return
    with _shown(description, total, hidden=_is_step.get()) as shown:
        yield shown.update


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook."""
    return "ipykernel.zmqshell" in sys.modules


def _shown(description: str, total: int | None, hidden: bool = False, **settings: Any) -> tqdm:
    """The bar: where standard error is a terminal, and in a notebook, which is none, but somebody looks at it."""
    kind = InNotebook if in_notebook() else tqdm
    disable = True if hidden else False if in_notebook() else None
    return kind(
        desc=description, total=total, delay=_DELAY, disable=disable, leave=False, dynamic_ncols=True, **settings
    )


class Line:
    """A line that is an output of its cell, and nothing at all when it is emptied: not in a saved notebook either.

    A widget would stay there as the text that stands for it, and so would what is written to standard error.
    """

    _output: Any = None

    def show(self, text: str) -> None:
        """Have this text, or none."""
        if self._output is not None:
            self._output.update({"text/plain": text} if text else {}, raw=True)
        elif text:
            from IPython.display import DisplayHandle

            self._output = DisplayHandle()  # type: ignore[no-untyped-call]
            self._output.display({"text/plain": text}, raw=True)


class InNotebook(tqdm):  # type: ignore[misc]
    """A bar of text that is such a line."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        self._line = Line()
        super().__init__(*args, **{"delay": _DELAY, "leave": False} | settings)

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:  # noqa: ARG002
        """Called by tqdm; msg is "" for the last time."""
        self._line.show(str(self) if msg is None else msg)
        return False


def _counter(hear: Hear, description: str, total: int) -> Callable[[int], object]:
    count = 0

    def done(steps: int) -> None:
        nonlocal count
        count += steps
        hear(description, count, total)

    hear(description, 0, total)
    return done


def progress(steps: Iterable[T], description: str, total: int) -> Iterator[T]:
    """The steps, with such a bar."""
    with bar(description, total) as done:
        for step in steps:
            yield step
            done(1)


class Pace:
    """How far a long run is. `clock` gives seconds."""

    def __init__(self, unit: str, total: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.unit, self.total, self._clock = unit, total, clock
        self.done = self.found = 0
        self._begun = self._logged = clock()
        self._shown = _shown(unit, total, unit=f" {unit}")

    def found_done(self, count: int) -> None:
        """So many were done by an earlier run: they say nothing about the pace of this one."""
        self.found += count
        if not self._shown.disable:
            self._shown.initial += count
        self._shown.update(count)

    def advance(self, count: int) -> None:
        """So many more are done."""
        self.done += count
        self._shown.update(count)
        if self._shown.disable and self._clock() - self._logged >= _BETWEEN_LINES:
            self._logged = self._clock()
            _log.info("%s", self)

    def close(self) -> None:
        """Take the bar away."""
        self._shown.close()

    def __str__(self) -> str:
        rate = self.done / max(self._clock() - self._begun, 1e-9)
        so_far, what = f"{self.found + self.done:,}", self.unit
        if self.total is None:
            return f"{so_far} {what}, {rate:.3g} {what}/s"
        left = (self.total - self.found - self.done) / max(rate, 1e-9)
        return f"{so_far} of {self.total:,} {what}, {rate:.3g} {what}/s, {_spoken(left)} left"


def _spoken(seconds: float) -> str:
    """A time, as a person would say it.

    >>> _spoken(42), _spoken(600), _spoken(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextmanager
def long_run(unit: str, total: int | None) -> Iterator[Pace]:
    """The pace of a run of so many units, None where nobody knows how many; bars of its steps are not shown."""
    pace = Pace(unit, total)
    token = _is_step.set(True)
    try:
        yield pace
    finally:
        _is_step.reset(token)
        pace.close()
