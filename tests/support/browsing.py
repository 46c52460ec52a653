"""A page opened from disk, as its reader opens it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect


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
