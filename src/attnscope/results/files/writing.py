"""Writing a file whole or not at all, where a person expects it."""

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from attnscope.errors import OutputError


def writable_file(path: str | os.PathLike[str]) -> Path:
    """The file that writing to `path` writes: `~` is the user's folder, and a link's target is written, not the link.

    Raises OutputError for a folder, a file in no folder, and a file that is read-only.
    """
    path = Path(path).expanduser()
    if path.is_symlink():
        path = Path(os.path.realpath(path))
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder; give the name of a file in it")
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: the folder {path.parent} does not exist; make it first")
    # Replacing a file asks only its folder; and whoever may write everything still meant it to be read-only.
    if path.exists() and not (os.access(path, os.W_OK) and path.stat().st_mode & 0o222):
        raise OutputError(f"cannot write {path}: it is read-only; make it writable, or give another name")
    return path


def write_atomically(path: str | os.PathLike[str], data: bytes | Callable[[Path], object]) -> None:
    """Write to `path` through a temporary file beside it, so that a failure leaves the old file or none.

    data: the bytes; or, where they are too many to hold in memory, a function that writes to the path it is given.
    Raises what `writable_file` raises. A file that is there keeps its permissions.
    """
    path = writable_file(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    os.close(handle)
    try:
        if callable(data):
            data(Path(temporary))
        else:
            Path(temporary).write_bytes(data)
        Path(temporary).chmod(_permissions(path))
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _permissions(path: Path) -> int:
    """Those that the file has; a new one is as readable as any file of this user, though mkstemp makes it private."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
