"""A connection that asks nothing is closed, and one that asks is not."""

import socket
import threading

import pytest
from tiny_models import small

from attnscope.serve import running
from attnscope.serve.guard import Door
from attnscope.serve.session import Session


def test_one_that_never_asks_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "IDLE", 0.2)
    session = Session([small("llama")])
    listening = running.listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    served = running.server(session, Door("t", port))
    thread = threading.Thread(target=served.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        for head in (b"", b"GET / HTTP/1.1\r\nHost: 127.0"):
            with socket.create_connection(("127.0.0.1", port), 20) as half:
                half.sendall(head)
                half.settimeout(20)
                assert half.recv(100) == b""
        with socket.create_connection(("127.0.0.1", port), 20) as whole:
            whole.sendall(
                f"GET /here HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: attnscope-{port}=t\r\n\r\n".encode()
            )
            assert whole.recv(100).startswith(b"HTTP/1.1 204")
    finally:
        served.should_exit = True
        thread.join(20)
        session.close()
        listening.close()
