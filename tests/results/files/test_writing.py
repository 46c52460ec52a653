"""A file is written whole or not at all, where a person expects it."""

import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from drawn_maps import maps_of
from drawn_results import RESULTS
from safetensors import SafetensorError

import attnscope as ats
from attnscope.errors import OutputError
from attnscope.results.base import load_result
from attnscope.results.files.writing import writable_file, write_atomically


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match="No space left on device"):
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


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("x" * 300 + ".json", "x{20,}….*name too long"),
        ("~no-such-user-here/a.json", "no such home folder"),
        ("a\0b.json", "NUL"),
        ("no/a.json", "does not exist"),
    ],
)
def test_a_name_that_no_file_can_have_is_refused_before_anything_is_drawn(
    name: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for save in (RESULTS["script"].save, lambda path: ats.save(RESULTS["script"], path), writable_file):
        with pytest.raises(OutputError, match=f"(?i){says}"):
            save(name)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_is_said_and_a_device_is_not_replaced() -> None:
    with pytest.raises(OutputError, match="/dev/full: No space left on device"):
        RESULTS["script"].save("/dev/full")
    assert Path("/dev/full").is_char_device()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(tmp_path / "pipe", b"through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_maps_on_a_full_disk_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with pytest.raises(OutputError, match="No space left"):
        maps_of("a b").save(tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())
