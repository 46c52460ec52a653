"""Who may come in: our own page with its token, under our own name; nobody else, whatever they send."""

import asyncio
from typing import Any

import pytest
from browsing import run_async

from attnscope.serve.guard import Door, Guard

DOOR = Door("secret-token", 7878)
OWN = {
    "host": "127.0.0.1:7878",
    "origin": "http://127.0.0.1:7878",
    "cookie": "attnscope-7878=secret-token",
    "sec-fetch-site": "same-origin",
}


def sent(
    headers: dict[str, str] | list[tuple[str, str]], *, method: str = "POST", query: str = "", door: Door = DOOR,
    body: tuple[bytes, ...] = (b"{}",), patience: float = 5.0,
) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
    """The status, headers and body of the answer; 200 is what lies behind the guard."""
    messages: list[dict[str, Any]] = []

    async def behind(_scope: Any, receive: Any, send: Any) -> None:
        read = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": read["body"]})

    parts = list(body)

    async def receive() -> dict[str, Any]:
        if not parts:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts) or body[-1:] == (b"",)}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    pairs = headers if isinstance(headers, list) else list(headers.items())
    scope = {
        "type": "http",
        "method": method,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in pairs],
        "query_string": query.encode(),
    }
    guard = Guard(behind, door, "default-src 'none'", max_body=100, patience=patience)
    run_async(guard(scope, receive, send))
    start = messages[0]
    answered = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], answered, b"".join(message.get("body", b"") for message in messages[1:])


def test_our_own_page_comes_in_with_its_body() -> None:
    status, headers, body = sent(OWN, body=(b'{"a":', b"1}"))
    assert (status, body) == (200, b'{"a":1}')
    assert headers["content-security-policy"] == "default-src 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:8080"}, 403),
        ({"origin": "https://127.0.0.1:7878"}, 403),
        ({"origin": "http://localhost:7878"}, 403),  # another name is another page
        ({"origin": "null"}, 403),
        ({"origin": None}, 403),
        ({"host": "evil.example:7878", "origin": "http://evil.example:7878"}, 421),
        ({"host": "127.0.0.1.evil.example:7878"}, 421),
        ({"host": "127.0.0.1"}, 421),
        ({"host": "127.0.0.1:80"}, 421),
        ({"host": "user@127.0.0.1:7878"}, 421),
        ({"host": "127.0.0.1:7878/x"}, 421),
        ({"host": "[::1"}, 421),
        ({"host": ""}, 421),
        ({"host": None}, 421),
        ({"cookie": None}, 403),
        ({"cookie": "attnscope-7878=wrong"}, 403),
        ({"cookie": "attnscope-7878="}, 403),
        ({"cookie": "attnscope-9999=secret-token"}, 403),
        ({"cookie": "\xe9=\xff; attnscope-7878=secret-token\xe9"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"content-length": "101"}, 413),
        ({"content-length": "-1"}, 413),
        ({"content-length": "9" * 400}, 413),
    ],
)
def test_anybody_else_does_not(changed: dict[str, str | None], status: int) -> None:
    headers = {name: value for name, value in {**OWN, **changed}.items() if value is not None}
    got, _, body = sent(headers)
    assert got == status
    assert body.count(b"\n") == 1


def test_a_header_that_comes_twice_is_not_chosen_from() -> None:
    for name in ("host", "origin"):
        assert sent([*OWN.items(), (name, "http://evil.example")])[0] in (403, 421)


def test_the_token_in_the_address_becomes_a_cookie() -> None:
    asking = {"host": "127.0.0.1:7878"}
    status, headers, _ = sent(asking, method="GET", query="token=secret-token")
    assert (status, headers["location"]) == (303, "/")
    assert headers["set-cookie"] == "attnscope-7878=secret-token; HttpOnly; SameSite=Strict; Path=/"
    for query in ("token=wrong", "token=", "token", "token=&x=1", "token=%F0%9F%98%80", "x=secret-token", "%74oken="):
        status, headers, _ = sent(asking, method="GET", query=query)
        assert status == 403
        assert "set-cookie" not in headers
    # Not by another site's link to another name, and not by a form.
    assert sent({"host": "evil.example:7878"}, method="GET", query="token=secret-token")[0] == 421
    assert sent(asking, method="POST", query="token=secret-token")[0] == 403


def test_a_body_without_a_length_is_counted_while_it_comes() -> None:
    assert sent(OWN, body=(b"x" * 60, b"x" * 60))[0] == 413


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    assert sent(OWN, body=(b"x", b""), patience=0.05)[0] == 408


def test_other_machines_come_in_by_an_address_where_that_is_allowed() -> None:
    remote = Door("secret-token", 7878, "0.0.0.0", remote=True)
    for door, host, known in [
        (remote, "192.168.1.7:7878", True),
        (remote, "[fe80::1]:7878", True),
        (remote, "evil.example:7878", False),
        (DOOR, "192.168.1.7:7878", False),
        (DOOR, "localhost:7878", True),
        (DOOR, "[::1]:7878", True),
        (Door("secret-token", 7878, "box.lan", remote=True), "box.lan:7878", True),
    ]:
        assert door.knows_host(host) is known, host


def test_websockets_are_not_answered() -> None:
    async def never(*_: Any) -> None:
        pytest.fail("it was let through")

    run_async(Guard(never, DOOR, "")({"type": "websocket", "headers": []}, never, never))


@pytest.mark.parametrize("others", ['a={"x": "y, z"}', "b=\xe4(; c", "_xsrf=2|ab|cd; d=[1]"])
def test_cookies_of_other_servers_of_this_machine_keep_nobody_out(others: str) -> None:
    assert sent({**OWN, "cookie": f"{others}; {OWN['cookie']}"})[0] == 200
    assert sent({**OWN, "cookie": f"{others}; x{OWN['cookie']}"})[0] == 403
