"""Writing a file whole or not at all, where a person expects it."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attnscope.errors import OutputError


def writable_file(path: str | os.PathLike[str]) -> Path:
    """The file that writing to `path` writes: `~` is the user's folder, and a link's target is written, not the link.

    Raises OutputError for a folder, a file in no folder, a file that is read-only, and a name that no file can have.
    """
    with not_written(path):
        path = Path(path).expanduser()
        if path.is_symlink() and not _is_stream(path):
            path = Path(os.path.realpath(path))
        if path.is_dir():
            raise OutputError(f"cannot write {path}: it is a folder; give the name of a file in it")
        if not path.parent.is_dir():
            raise OutputError(f"cannot write {path}: the folder {path.parent} does not exist; make it first")
        try:
            there = path.stat()  # which also says that a name is too long
        except FileNotFoundError:
            return path
        # Replacing a file asks only its folder; and whoever may write everything still meant it to be read-only.
        if not (os.access(path, os.W_OK) and there.st_mode & 0o222):
            raise OutputError(f"cannot write {path}: it is read-only; make it writable, or give another name")
    return path


def write_atomically(path: str | os.PathLike[str], data: bytes | Callable[[Path], object]) -> None:
    """Write to `path` through a temporary file beside it, so that a failure leaves the old file or none.

    data: the bytes; or, where they are too many to hold in memory, a function that writes to the path it is given.
    Raises what `writable_file` raises, and OutputError where the disk is full or the folder takes no files. A file that
    is there keeps its permissions; a device or a pipe is written to, not replaced.
    """
    path = writable_file(path)
    with not_written(path):
        stream = _is_stream(path)
        handle, temporary = tempfile.mkstemp(dir=None if stream else path.parent, prefix=f".{path.name[:40]}.")
        os.close(handle)
        try:
            if callable(data):
                data(Path(temporary))
            else:
                Path(temporary).write_bytes(data)
            if stream:
                with Path(temporary).open("rb") as written, path.open("wb") as out:
                    shutil.copyfileobj(written, out)
                Path(temporary).unlink()
            else:
                Path(temporary).chmod(_permissions(path))
                Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


@contextmanager
def not_written(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns what the system says against a file into an OutputError that names it."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise OutputError(f"cannot write {_shown(path)}: {why}") from error
    except (RuntimeError, ValueError) as error:
        known = {"home directory": "there is no such home folder", "null": "its name has a NUL character"}
        reason = next((said for word, said in known.items() if word in str(error)), None)
        if reason is None or isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write {_shown(path)!r}: {reason}") from error


def _is_stream(path: Path) -> bool:
    """Whether this is a device or a pipe, such as /dev/stdout: nothing that could be replaced by a file."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _shown(path: str | os.PathLike[str]) -> str:
    name = str(path)
    return name if len(name) <= 200 else f"{name[:100]}…{name[-40:]}"


def _permissions(path: Path) -> int:
    """Those that the file has; a new one is as readable as any file of this user, though mkstemp makes it private."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
