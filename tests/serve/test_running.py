"""Where it listens, with which token, and what it refuses before a model is loaded."""

import stat
from pathlib import Path

import pytest

from attnscope.errors import InputError, MissingExtraError
from attnscope.serve import running
from attnscope.serve.running import check_extra, check_host, kept_token, listen


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_this_machine_needs_no_leave(host: str) -> None:
    check_host(host, allow_remote=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org"])
def test_other_machines_do(host: str) -> None:
    with pytest.raises(InputError, match="add --allow-remote"):
        check_host(host, allow_remote=False)
    check_host(host, allow_remote=True)


def test_a_port_that_is_taken_is_named() -> None:
    first = listen("127.0.0.1", 0)
    port = first.getsockname()[1]
    try:
        with pytest.raises(InputError, match=f"port {port}: .*; choose another --port"):
            listen("127.0.0.1", port)
    finally:
        first.close()
    with pytest.raises(InputError, match=r"cannot listen on nowhere\.invalid"):
        listen("nowhere.invalid", 0)


def test_a_ports_token_is_random_private_and_outlives_the_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(running, "cache", lambda: tmp_path)
    token = kept_token(7878)
    assert len(token) >= 43
    assert kept_token(7878) == token
    assert kept_token(7879) != token
    file = tmp_path / "serve" / "7878.token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # One that others could have read, or that is cut short, is not used again.
    file.chmod(0o644)
    fresh = kept_token(7878)
    assert fresh != token
    file.write_text("short")
    assert len(kept_token(7878)) >= 43


def test_without_a_folder_to_keep_it_the_token_lives_as_long_as_the_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "serve").write_text("a file in the way")
    monkeypatch.setattr(running, "cache", lambda: tmp_path)
    assert kept_token(1) != kept_token(1)


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    check_extra()
    monkeypatch.setattr(running.importlib.util, "find_spec", lambda name: None if name == "uvicorn" else name)
    with pytest.raises(MissingExtraError, match=r"needs uvicorn: pip install 'attnscope\[serve\]'"):
        check_extra()
