"""Writing a file whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from attnscope.errors import OutputError


def write_atomically(path: str | os.PathLike[str], data: bytes | Callable[[Path], object]) -> None:
    """Write to `path` through a temporary file beside it, so that a failure leaves the old file or none.

    data: the bytes; or, where they are too many to hold in memory, a function that writes to the path it is given.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: the folder {path.parent} does not exist; make it first")
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder; give the name of a file")
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    os.close(handle)
    try:
        if callable(data):
            data(Path(temporary))
        else:
            Path(temporary).write_bytes(data)
        # mkstemp makes the file private; the result should be as readable as any file of this user.
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
