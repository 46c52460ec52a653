"""A page opened from disk, as its reader opens it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page


@contextmanager
def opened(browser: Browser, path: Path, content: bytes, fragment: str = "", **context: object) -> Iterator[Page]:
    """The page from disk; afterwards: no error, no policy violation, no request but the file itself."""
    path = path / "page.html"
    path.write_bytes(content)
    noise: list[str] = []
    requests: list[str] = []
    window = browser.new_context(**context)  # type: ignore[arg-type]
    window.set_default_timeout(8000)
    page = window.new_page()
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.add_init_script("document.addEventListener('securitypolicyviolation', e => console.log(e.violatedDirective))")
    try:
        page.goto(path.as_uri() + fragment)
        yield page
        assert noise == [], noise
        assert [url.split("#")[0] for url in requests if not url.startswith("blob:")] == [path.as_uri()]
    finally:
        window.close()
