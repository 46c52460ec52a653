"""Pairs that are done, kept in a file beside the output until it is whole: the same command goes on where it stopped.

Each line is one pair: what was asked, as a hash, and the comparison. A line that a kill cut short is no pair. A pair is
taken from the file only where everything that was asked is the same: both texts, method, settings and models.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attnscope.errors import AttnscopeError
from attnscope.results.comparison import Comparison
from attnscope.results.files.writing import not_written


class Kept:
    """The pairs that are done of one command. path: the file, or None to keep nothing."""

    def __init__(self, path: Path | None, asked: Mapping[str, Any]) -> None:
        self._path, self._asked = path, asked
        self._done: dict[str, dict[str, Any]] = {}
        if path is None or not path.exists():
            return
        with not_written(path):
            whole, _, cut = path.read_bytes().rpartition(b"\n")
            if cut:
                os.truncate(path, len(whole) + 1 if whole else 0)
        for line in whole.splitlines():
            try:
                row = json.loads(line)
                self._done[row["asked"]] = row["comparison"]
            except (ValueError, KeyError, TypeError):
                continue

    def find(self, pair: Mapping[str, Any]) -> Comparison | None:
        """The comparison of this pair, if it is done."""
        found = self._done.get(self._hash(pair))
        try:
            return None if found is None else Comparison.from_dict(found, str(self._path))
        except AttnscopeError:
            return None

    def add(self, pair: Mapping[str, Any], comparison: Comparison) -> None:
        """Keep this pair, before the next one begins."""
        if self._path is None:
            return
        line = f'{{"asked": "{self._hash(pair)}", "comparison": {comparison.to_json()}}}\n'
        with not_written(self._path), self._path.open("ab") as file:
            file.write(line.encode())

    def _hash(self, pair: Mapping[str, Any]) -> str:
        whole = json.dumps([self._asked, pair], sort_keys=True, default=str)
        return hashlib.sha256(whole.encode()).hexdigest()


@contextmanager
def kept_beside(output: Path | None, asked: Mapping[str, Any]) -> Iterator[Kept]:
    """Keep pairs beside the output for as long as the block runs; the file goes when the block ends well."""
    path = None
    if output is not None:
        output = output.expanduser()
        path = output.with_name(f"{output.name}.part")
    yield Kept(path, asked)
    if path is not None:
        path.unlink(missing_ok=True)
