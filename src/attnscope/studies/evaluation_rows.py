"""The rows file of an evaluation: rows are added as they come, and an interrupted run resumes where it stopped."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attnscope.errors import InputError
from attnscope.results.evaluation import Evaluation, EvaluationRow, head


@contextmanager
def resumed_rows(
    path: str | os.PathLike[str] | None, settings: Mapping[str, Any]
) -> Iterator[tuple[Evaluation, Callable[[EvaluationRow], None]]]:
    """The rows of an earlier run, and a function that adds a row. Without a path, nothing is read or written.

    Raises InputError where the earlier run had other settings, DamagedFileError for a file that cannot be read.
    """
    if path is None:
        yield Evaluation(settings), lambda _row: None
        return
    path = Path(path).expanduser()
    earlier = Evaluation(settings)
    if path.exists() and path.stat().st_size:
        earlier = Evaluation.load(path)
        _check_same_settings(path, earlier.settings, settings)
    # Rewritten, because an interrupted run may have left its last line incomplete.
    earlier.save(path)
    with path.open("a", encoding="utf-8", errors="backslashreplace") as file:

        def add(row: EvaluationRow) -> None:
            file.write(row.to_json() + "\n")
            file.flush()

        yield earlier, add


def _check_same_settings(path: Path, earlier: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    # Compared as they would be read back: a tuple becomes a list in JSON.
    current = json.loads(head(settings))["settings"]
    for name in {**current, **earlier}:
        if current.get(name) != earlier.get(name):
            raise InputError(
                f"{path} holds rows of another evaluation: its {name} is {earlier.get(name)!r}, now "
                f"{current.get(name)!r}; name another file"
            )
