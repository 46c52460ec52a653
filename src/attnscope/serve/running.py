"""The server in a process: what it listens on, the address that it prints, and its end."""

import importlib.util
import logging
import secrets
import socket
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from attnscope.errors import InputError, MissingExtraError
from attnscope.models.loading.bundled import cache
from attnscope.models.loading.load import Model
from attnscope.serve.session import KEPT_BYTES, MAX_TOKENS, Session

if TYPE_CHECKING:
    import uvicorn

    from attnscope.serve.guard import Door

LOOPBACK = "127.0.0.1"
# Seconds after which a connection that asks nothing is closed.
IDLE = 20


def serve(
    models: Sequence[Model],
    *,
    port: int,
    host: str = LOOPBACK,
    allow_remote: bool = False,
    open_browser: bool = False,
    kept_bytes: int = KEPT_BYTES,
    max_tokens: int = MAX_TOKENS,
    lang: str | None = None,
    say: Callable[[str], object],
) -> None:
    """Serve the playground of these models until Ctrl-C.

    host: other than this machine's own loopback only with `allow_remote`: whoever has the address can then run the
          models, over a connection that is not encrypted. port 0: any that is free. lang: of the page; None is
          what the reader's browser wants. say: gets the address.

    Raises InputError for a host or port that cannot be listened on, MissingExtraError without the extra.
    """
    check_host(host, allow_remote=allow_remote)
    check_extra()
    from attnscope.serve.guard import Door

    listening = listen(host, port)
    port = listening.getsockname()[1]
    door = Door(kept_token(port), port, host, allow_remote and not _is_loopback(host))
    session = Session(models, kept_bytes=kept_bytes, max_tokens=max_tokens)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}/?token={door.token}"
    say(address)
    if open_browser:
        webbrowser.open(address)
    try:
        with suppress(KeyboardInterrupt):
            server(session, door, lang).run(sockets=[listening])
    finally:
        session.close()
        listening.close()


def server(session: Session, door: "Door", lang: str | None = None) -> "uvicorn.Server":
    """The server of a session. Nothing that is asked is written anywhere: it keeps no log and shows no traces."""
    import uvicorn

    from attnscope.serve.app import app
    from attnscope.serve.connections import Connection

    for name in ("uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).disabled = True
    config = uvicorn.Config(
        app(session, door, lang=lang), http=Connection, ws="none", lifespan="off", log_config=None, access_log=False,
        server_header=False, date_header=False, timeout_keep_alive=IDLE, timeout_graceful_shutdown=2,
        proxy_headers=False,
    )  # fmt: skip
    return uvicorn.Server(config)


def check_extra() -> None:
    """Raises MissingExtraError where starlette or uvicorn is not installed."""
    for package in ("starlette", "uvicorn"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(f"the playground needs {package}: pip install 'attnscope[serve]'")


def check_host(host: str, *, allow_remote: bool) -> None:
    """Raises InputError for a host that other machines reach, unless that was allowed."""
    if not _is_loopback(host) and not allow_remote:
        raise InputError(
            f"--host {host} is reached from other machines: whoever has the address could run the models here, and the "
            "connection is not encrypted; add --allow-remote if that is meant, or tunnel: ssh -L 7878:127.0.0.1:7878"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises InputError where that cannot be."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise InputError(f"cannot listen on {host}: {error.strerror}; choose another --host") from error
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(256)
    except OSError as error:
        listening.close()
        raise InputError(f"cannot listen on {host}, port {port}: {error.strerror}; choose another --port") from error
    return listening


def kept_token(port: int) -> str:
    """The random token of a port, kept where this user alone can read it: a page that is open survives a new start."""
    file = cache() / "serve" / f"{port}.token"
    with suppress(OSError, ValueError):
        token = file.read_text("ascii").strip()
        if len(token) >= 32 and file.stat().st_mode & 0o077 == 0:
            return token
    token = secrets.token_urlsafe(32)
    with suppress(OSError):  # then it lives as long as this process
        _write_private(file, token)
    return token


def _write_private(file: Path, token: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.unlink(missing_ok=True)
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(token, "ascii")
