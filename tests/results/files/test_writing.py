"""A file is written whole or not at all, where a person expects it."""

from pathlib import Path
from typing import Any

import pytest
from drawn_maps import maps_of
from drawn_results import RESULTS

import attnscope as ats
from attnscope.errors import OutputError
from attnscope.results.base import load_result
from attnscope.results.files.writing import writable_file, write_atomically


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


def test_home_is_expanded_in_writing_and_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_atomically("~/a.json", b"x")
    assert (tmp_path / "a.json").read_bytes() == b"x"
    for result, name in ((RESULTS["script"], "~/r.json"), (maps_of("a b c"), "~/m.safetensors")):
        assert ats.save(result, name) == Path(name).expanduser()
        result.save(name)
        assert type(load_result(name)) is type(result)
    ats.save(RESULTS["script"], "~/page.html")
    assert (tmp_path / "page.html").exists()


def test_a_read_only_file_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text("old")
    path.chmod(0o444)
    for write in (lambda: write_atomically(path, b"new"), lambda: ats.save(RESULTS["script"], path)):
        with pytest.raises(OutputError, match="read-only"):
            write()
    assert path.read_text() == "old"


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "a.json", tmp_path / "link.json"
    link.symlink_to(target)
    write_atomically(link, b"new")  # a link to a file that is not there yet
    write_atomically(link, b"newer")
    assert link.is_symlink()
    assert target.read_bytes() == b"newer"
    assert [p.name for p in target.parent.iterdir()] == ["a.json"]
    link.unlink()
    link.symlink_to(tmp_path / "no" / "a.json")
    with pytest.raises(OutputError, match="does not exist"):
        writable_file(link)


def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o600)
    write_atomically(path, b"x")
    assert path.stat().st_mode & 0o777 == 0o600
