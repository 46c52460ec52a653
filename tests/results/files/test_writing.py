"""A file is written whole or not at all."""

from pathlib import Path
from typing import Any

import pytest

from attnscope.errors import OutputError
from attnscope.results.files.writing import write_atomically


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_written_file_is_as_readable_as_any(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"x")
    (tmp_path / "b").write_bytes(b"x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_missing_folder_or_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        write_atomically(tmp_path / "no" / "a.json", b"x")
    with pytest.raises(OutputError, match="is a folder"):
        write_atomically(tmp_path, b"x")


def test_a_function_may_write_the_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", lambda path: path.write_text("x"))
    assert (tmp_path / "a").read_text() == "x"

    def fail(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        write_atomically(tmp_path / "a", fail)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "x")]
