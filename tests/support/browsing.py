"""A page opened from disk, as its reader opens it; and a playground that is served, asked by whatever is sent to it."""

import asyncio
import http.client
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, Page, expect

import attnscope as ats
from attnscope.serve import answers
from attnscope.serve.guard import Door
from attnscope.serve.jobs import Job
from attnscope.serve.questions import question
from attnscope.serve.running import listen, server
from attnscope.serve.session import Session

T = TypeVar("T")


@contextmanager
def opened(browser: Browser, path: Path, content: bytes, fragment: str = "", **context: object) -> Iterator[Page]:
    """The page from disk; afterwards: no error, no policy violation, no request but the file itself."""
    path = path / "page.html"
    path.write_bytes(content)
    with _window(browser, **context) as page, _quiet(page, path.as_uri() + fragment, 8000) as requests:
        yield page
    assert [url.split("#")[0] for url in requests if not url.startswith("blob:")] == [path.as_uri()]


# Windows that nobody looks at, by browser and settings, the last used last: a new one takes longer than most pages.
_free: dict[tuple[Browser, str], Page] = {}
_KEPT = 4


@contextmanager
def _window(browser: Browser, **context: object) -> Iterator[Page]:
    """An empty window with these settings, which is kept for others unless the test fails or changes its size."""
    key = browser, repr(context)
    page = _free.pop(key, None) or _new(browser, **context)
    size = page.viewport_size
    try:
        yield page
        if page.viewport_size != size or len(page.context.pages) > 1 or key in _free:
            page.context.close()
            return
        page.goto("about:blank")
        page.mouse.move(0, 0)
        _free[key] = page
        if len(_free) > _KEPT:
            _free.pop(next(iter(_free))).context.close()
    except BaseException:
        page.context.close()
        raise


def _new(browser: Browser, **context: object) -> Page:
    page = browser.new_context(**context).new_page()  # type: ignore[arg-type]
    page.add_init_script("document.addEventListener('securitypolicyviolation', e => console.log(e.violatedDirective))")
    return page


@contextmanager
def _quiet(page: Page, address: str, patience: int) -> Iterator[list[str]]:
    """The addresses that a page at this address asks for; afterwards: no error and no policy violation."""
    noise: list[str] = []
    requests: list[str] = []
    heard: dict[Any, Callable[[Any], None]] = {
        "console": lambda message: noise.append(message.text),
        "pageerror": lambda error: noise.append(str(error)),
        "request": lambda request: requests.append(request.url),
    }
    page.context.set_default_timeout(patience)
    for event, hear in heard.items():
        page.on(event, hear)
    page.goto(address)
    yield requests
    assert noise == [], noise
    for event, hear in heard.items():
        page.remove_listener(event, hear)


def serious(page: Page) -> list[object]:
    """What axe-core finds that keeps people from using the page."""
    axe = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.exists():
        pytest.fail("this test needs axe-core: make node_modules")
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe.read_text("utf-8"))
    found = page.evaluate("axe.run().then((r) => r.violations.map((v) => [v.impact, v.id, v.nodes[0].html]))")
    return [violation for violation in found if violation[0] in ("serious", "critical")]


EXPLORER_VIEWS = ("overview", "head", "text", "lines", "flow")


def ready(page: Page) -> None:
    page.evaluate(
        """(async () => {
            while (document.querySelector('[aria-busy]')) await new Promise(requestAnimationFrame);
            for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
        })()"""
    )


def go(page: Page, view: str) -> None:
    """To a view of the explorer, by its key."""
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(str(1 + EXPLORER_VIEWS.index(view)))
    expect(page.locator(f"[data-part={view}]")).to_be_visible()
    ready(page)


def near(shown: str, truth: float, peak: float) -> bool:
    """Within the coding's error: a 510th of the row's largest, its sixteen bits, and four digits."""
    return abs(float(shown) - truth) <= peak * (0.5 / 255 + 2**-11) + 6e-4 * truth


TOKEN = "t" * 43


@dataclass
class Served:
    """A running playground."""

    session: Session
    door: Door
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return self.door.port

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/?token={self.door.token}"

    def own(self) -> dict[str, str]:
        """What the playground's own page sends."""
        return {
            "Host": f"127.0.0.1:{self.port}",
            "Origin": f"http://127.0.0.1:{self.port}",
            "Sec-Fetch-Site": "same-origin",
            "Cookie": f"{self.door.cookie}={self.door.token}",
        }

    def idle(self) -> None:
        """Wait until the models do nothing more, such as what was asked by a page that has gone."""
        for worker in self.session.workers.values():
            assert worker.submit(lambda _job: None, lambda *_: None, priority=9).over.wait(20)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def send(
        self, method: str = "GET", path: str = "/", body: bytes | None = None, **headers: str | None
    ) -> http.client.HTTPResponse:
        """A request of the page's own, but for these headers; None leaves one out. The answer has been read."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {**self.own(), **changed}
        connection = self.connect()
        try:
            connection.request(method, path, body, {name: value for name, value in given.items() if value is not None})
            response = connection.getresponse()
            response.read_body = response.read()  # type: ignore[attr-defined]
            return response
        finally:
            connection.close()

    def ask(self, **question: Any) -> list[tuple[str, Any]]:
        """The events of an answer, or of a refusal."""
        response = self.send("POST", "/ask", json.dumps(question).encode())
        body: bytes = response.read_body  # type: ignore[attr-defined]
        if response.status != 200:
            return [("refused", json.loads(body)["error"])]
        return events(body)

    def answer(self, **question: Any) -> Any:
        """The answer itself."""
        name, data = self.ask(**question)[-1]
        assert name == "result", (name, data)
        return data


def events(body: bytes) -> list[tuple[str, Any]]:
    found = []
    for part in body.decode().split("\n\n"):
        if part.strip(": \n"):
            name, data = part.split("\n")
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


@contextmanager
def running(*models: ats.Model, port: int = 0, token: str = TOKEN, **limits: int) -> Iterator[Served]:
    """A playground of these models, served by a thread."""
    session = Session(models, **limits)
    listening = listen("127.0.0.1", port)
    served = Served(session, Door(token, listening.getsockname()[1]))
    ours = server(session, served.door)
    thread = threading.Thread(target=ours.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        ours.should_exit = True
        thread.join(20)
        session.close()
        listening.close()
    assert not thread.is_alive()


@contextmanager
def visited(browser: Browser, served: Served, fragment: str = "", **context: object) -> Iterator[Page]:
    """The playground's page; afterwards: no error, no policy violation, no request to anybody else."""
    page = _new(browser, **context)
    try:
        with _quiet(page, served.address + fragment, 20_000) as requests:
            yield page
    finally:
        page.context.close()
    served.idle()
    own = f"http://127.0.0.1:{served.port}/"
    assert all(url.startswith((own, "blob:")) for url in requests), requests


def painted(page: Page, words: int) -> None:
    """Wait until the playground shows the importance of so many words."""
    expect(page.locator("[data-part=importance-holder] .u")).to_have_count(words)


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns. In a thread of its own: in the test's, a browser of another test may hold a loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def asked(session: Session, **data: Any) -> tuple[Any, list[tuple[str, Any]]]:
    """A session's answer, and what was told before it."""
    told: list[tuple[str, Any]] = []
    given = question({"text": "a b c d e", **data})
    job = Job(0, 0, lambda _job: None, lambda name, value: told.append((name, value)))
    model = session.worker(given.model).model
    return answers.given(session, model, given, answers.ANSWERS[given.ask], job), told
