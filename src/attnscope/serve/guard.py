"""Who may talk to the playground: the page that it handed out itself, and nobody else.

- A page on the web reaches a server on this machine by its name or, after rebinding, under a name of its own: `Host`
  has to be ours, and so has `Origin`.
- Another program of this machine, or a page that guesses the port, lacks the token: it stands in the address that is
  printed, and then in a cookie that no script reads and no other site sends.
- What comes in has a limit before it is read.
"""

import asyncio
import secrets
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from attnscope.translation import LANGUAGES, translated

MAX_BODY = 2 * 2**20
# Seconds in which a body has to come.
PATIENCE = 20.0
_ALWAYS = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True)
class Door:
    """What a request has to show.

    token: in the address, then in the cookie. port: ours. host: what the server listens on.
    remote: whether other machines may come in: then any address of a machine is a good `Host`, but no name that is not
            `host`, which is what rebinding needs.
    """

    token: str
    port: int
    host: str = "127.0.0.1"
    remote: bool = False

    @property
    def cookie(self) -> str:
        """The cookie's name. Cookies do not tell ports apart, so the name does."""
        return f"attnscope-{self.port}"

    def knows_host(self, host: str) -> bool:
        """Whether this is a `Host` under which we are reached."""
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname or "", parts.port or 80
        except ValueError:
            return False
        if port != self.port or parts.username is not None or parts.path:
            return False
        if name in ("127.0.0.1", "::1", "localhost", self.host):
            return True
        return self.remote and _is_address(name)

    def opens_to(self, given: str | None) -> bool:
        """Whether this is the token."""
        return given is not None and secrets.compare_digest(given.encode(), self.token.encode())


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class Guard:
    """Lets through what shows that it comes from our own page, with its body read; answers everything else itself."""

    def __init__(
        self, app: ASGIApp, door: Door, policy: str, max_body: int = MAX_BODY, patience: float = PATIENCE
    ) -> None:
        self.app, self.door, self.policy = app, door, policy
        self.max_body, self.patience = max_body, patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As an ASGI application."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return None
        answer = _with_headers(send, {**_ALWAYS, "content-security-policy": self.policy})
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        shown = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get("token")
        language = _language(headers)
        if refused := self._refused(scope["method"], headers, asks_in=shown is not None):
            return await _say(answer, *refused, language)
        if shown is not None:
            return await self._welcome(shown[0], answer, language)
        try:
            body = await asyncio.wait_for(_body(receive, self.max_body), self.patience)
        except TimeoutError:
            return await _say(answer, 408, "the rest of the request did not come", language)
        if body is None:
            return await _say(answer, 413, f"a request may have up to {self.max_body:,} bytes", language)
        return await self.app(scope, _again(body, receive), answer)

    def _refused(self, method: str, headers: list[tuple[str, str]], *, asks_in: bool) -> tuple[int, str] | None:
        """The status and the reason, where the request may not come in. asks_in: whether it shows a token to get in."""
        hosts, origins = ([v for n, v in headers if n == name] for name in ("host", "origin"))
        if len(hosts) != 1 or not self.door.knows_host(hosts[0]):
            return 421, "this address is not the playground's: open the address that `attnscope serve` printed"
        if len(origins) > 1 or (origins and origins[0] != f"http://{hosts[0]}"):
            return 403, "another page may not ask this server"
        fetched = next((v for n, v in headers if n == "sec-fetch-site"), "none")
        if method != "GET" and (not origins or fetched not in ("none", "same-origin")):
            return 403, "only the playground's own page may ask this server"
        if not (asks_in and method == "GET") and not self.door.opens_to(self._cookie(headers)):
            return 403, "the token is missing: open the address that `attnscope serve` printed"
        length = next((v for n, v in headers if n == "content-length"), "0")
        if not length.isdecimal() or int(length) > self.max_body:
            return 413, f"a request may have up to {self.max_body:,} bytes"
        return None

    def _cookie(self, headers: list[tuple[str, str]]) -> str | None:
        """Ours among the cookies of all servers of this machine, some of which may not be well formed."""
        for name, value in headers:
            for pair in value.split(";") if name == "cookie" else ():
                key, _, shown = pair.strip().partition("=")
                if key == self.door.cookie:
                    return shown.strip('"')
        return None

    async def _welcome(self, token: str, send: Send, language: str) -> None:
        """The token goes from the address, which is seen, into a cookie."""
        if not self.door.opens_to(token):
            reason = "this is another token: open the address that `attnscope serve` printed last"
            await _say(send, 403, reason, language)
            return
        cookie = f"{self.door.cookie}={self.door.token}; HttpOnly; SameSite=Strict; Path=/"
        headers = [(b"location", b"/"), (b"set-cookie", cookie.encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _with_headers(send: Send, more: dict[str, str]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = [(name.encode(), value.encode()) for name, value in more.items()]
            message = {**message, "headers": [*message.get("headers", []), *own]}
        await send(message)

    return sending


def _language(headers: list[tuple[str, str]]) -> str:
    """What the reader's browser asks for first."""
    wanted = next((value for name, value in headers if name == "accept-language"), "")[:2].lower()
    return wanted if wanted in LANGUAGES else "en"


async def _say(send: Send, status: int, reason: str, language: str) -> None:
    """One line."""
    body = f"{translated(reason, language)}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if status in (408, 413):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive, most: int) -> bytes | None:
    """All of the body; None where there is more than `most`, of which no more is read."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Hands the body out once more, and then what comes after it."""
    given = False

    async def receiving() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving
