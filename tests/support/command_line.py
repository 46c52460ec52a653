"""The command line as a user calls it: its output, its exit code."""

import contextlib
import io
import os
import subprocess
import sys
import warnings
from collections.abc import Callable

import pytest
from typer.testing import Result

from attnscope.cli import main

TEXT = "The castle on the hill was old."
Run = Callable[..., Result]  # of the fixture `run_tiny`: a command on a tiny model


def run(*arguments: str, given: bytes = b"", encoding: str = "utf-8") -> subprocess.CompletedProcess[bytes]:
    """The command line inside this process, which has torch already: seconds less than a process of its own."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True) for _ in range(2))
    before = sys.argv, sys.stdin, warnings.showwarning
    sys.argv, sys.stdin = ["attnscope", *arguments], io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as stopped:
            main()
    finally:
        sys.argv, sys.stdin, warnings.showwarning = before
    code = int(stopped.value.code or 0)
    return subprocess.CompletedProcess(arguments, code, out.buffer.getvalue(), err.buffer.getvalue())  # type: ignore[attr-defined]


def process(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command line as a process of its own."""
    command = [sys.executable, "-m", "attnscope", *arguments]
    return subprocess.run(command, input=given, capture_output=True, env=os.environ, check=False)


def failed(*arguments: str, given: bytes = b"", code: int = 2) -> str:
    done = run(*arguments, given=given)
    message = done.stderr.decode()
    assert done.returncode == code, message
    assert done.stdout == b""
    assert message.startswith("attnscope: ")
    assert message.count("\n") == 1, "one line"
    return message
