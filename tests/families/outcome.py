"""What a check comes to, and how it is decided."""

import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from attnscope.errors import AttnscopeError
from reference.eager import NotSeenError

PASS, NOISE, REFUSED, UNVERIFIED, NOT_APPLICABLE = "pass", "noise", "refused", "unverified", "na"
CRASH, WRONG = "crash", "WRONG"
# In double precision an answer is right or wrong: this is far above its rounding, and that of what is kept in single.
EXACT = 3e-6


class NothingToCheckError(Exception):
    """There is nothing to check here."""


def largest(*errors: float) -> float:
    """The largest error. Of numbers with a NaN among them it is NaN, which no tolerance allows; `max` might lose it."""
    return float(np.max(errors))


class UnverifiedError(Exception):
    """attnscope gave an answer, and there is nothing to hold it against."""


@dataclass(frozen=True)
class Outcome:
    """status: pass; noise, where only double precision agrees; refused, by an error of attnscope's own; unverified,
    where there is nothing to compare with; na; crash, any other error on attnscope's side; WRONG.

    error: the largest difference, relative or absolute as the check has it. at: where a crash was.
    """

    status: str
    message: str = ""
    error: float | None = None
    at: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Without what it has not."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}


def decide(check: Callable[[Any], float | None], tolerance: float, trial: Any, in_double: Callable[[], Any]) -> Outcome:
    """Run a check, which returns its largest error; where that is over the tolerance, once more in double precision."""
    started = time.monotonic()
    outcome = _decide(check, tolerance, trial, in_double)
    changed = trial.changes()
    if changed:
        outcome = Outcome(WRONG, f"the model came back changed: {', '.join(changed)}. {outcome.message}")
    return Outcome(outcome.status, outcome.message, outcome.error, outcome.at, round(time.monotonic() - started, 2))


def _decide(
    check: Callable[[Any], float | None], tolerance: float, trial: Any, in_double: Callable[[], Any]
) -> Outcome:
    try:
        error = check(trial)
    except Exception as raised:
        return _of_exception(raised)
    if error is None or error <= tolerance:
        return Outcome(PASS, error=error)
    try:
        exact = check(in_double())
    except Exception as raised:
        return Outcome(WRONG, f"differs by {error:.2g}; in double precision {type(raised).__name__}: {raised}", error)
    assert exact is not None
    if exact <= max(EXACT, tolerance / 100):
        return Outcome(NOISE, f"differs by {error:.2g}, in double precision by {exact:.2g}", error)
    return Outcome(WRONG, f"differs by {error:.2g}, in double precision by {exact:.2g}", error)


def _of_exception(raised: Exception) -> Outcome:
    message = f"{type(raised).__name__}: {' '.join(str(raised).split())[:400]}"
    if isinstance(raised, AttnscopeError):
        return Outcome(REFUSED, message)
    if isinstance(raised, NothingToCheckError):
        return Outcome(NOT_APPLICABLE, str(raised))
    if isinstance(raised, UnverifiedError | NotSeenError):
        return Outcome(UNVERIFIED, str(raised))
    frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(raised.__traceback__)]
    ours = [frame.split("/src/")[-1] for frame in frames if "/src/attnscope/" in frame]
    if isinstance(raised, AssertionError) and not ours:
        return Outcome(WRONG, str(raised))
    # An error on the way of the textbook version is none of attnscope's.
    return (
        Outcome(CRASH, message, at=ours[-1])
        if ours
        else Outcome(UNVERIFIED, message, at=frames[-1].split("/site-packages/")[-1])
    )
