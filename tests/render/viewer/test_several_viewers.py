"""Two viewers on one page, each with data of its own: what is done in one leaves the other as it is."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browsing import opened
from drawn_maps import maps_of
from drawn_results import ENGLISH, per_token, result
from playwright.sync_api import Browser, Page, expect

from attnscope.render import render
from attnscope.render.html import bundle

LEFT, RIGHT = "The castle stood on the hill above the river.", "Nobody had lived there since the long war."
_DATA = re.compile(
    r'(<script type="[^"]+" id=")((?:manifest|thumbnails|worker|data|map-\d+-\d+)".*?</script>)', re.DOTALL
)


def _viewer(content: bytes, name: str) -> str:
    """The body of a page as one viewer of several; its data's ids get a prefix."""
    page = content.decode()
    attributes = " data-signed" if " data-signed" in page.split(">")[1] else ""
    body = page.split("<body>")[1].split("</body>")[0]
    body = re.sub(r'<script type="module".*?</script>', "", body, flags=re.DOTALL)
    data = "".join(f"{m[1]}{name}-{m[2]}" for m in _DATA.finditer(body))
    return f'<div class="viewer" id="{name}"{attributes}>{_DATA.sub("", body)}</div>{data}'


@contextmanager
def beside(browser: Browser, path: Path, module: str, left: bytes, right: bytes) -> Iterator[Page]:
    """Both viewers on one page, neither of them its main one."""
    style = re.search(rb"<style>(.*?)</style>", left, re.DOTALL)
    assert style is not None
    stem = Path(module).stem
    starts = "".join(
        f"$%s.start(document.getElementById('{name}'), new $source.PageSource(document, '{name}-'));\n" % stem
        for name in ("left", "right")
    )
    code = bundle.script(module, "source.js") + "\n" + starts
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>two</title><style>{style[1].decode()}\n'
        "body{max-width:none}#left,#right{display:inline-block;width:49%;vertical-align:top}</style><body>"
        f'{_viewer(left, "left")}{_viewer(right, "right")}<script type="module">{code}</script></body></html>'
    )
    with opened(browser, path, page.encode(), viewport={"width": 1900, "height": 900}) as window:
        yield window


def state_of(page: Page, name: str) -> object:
    """Everything that is seen of a viewer: texts, classes, and pixels of canvases."""
    return page.evaluate(
        """async (name) => {
            const root = document.getElementById(name);
            while (root.querySelector('[aria-busy]')) await new Promise(requestAnimationFrame);
            await new Promise((resolve) => setTimeout(resolve, 200)); // what is spoken waits for a while
            const colours = [...CSS.highlights.entries()].flatMap(([key, set]) => [...set]
                .map((range) => range.startContainer)
                .filter((word) => root.contains(word)).map((word) => key + word.textContent));
            const pixels = [...root.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL());
            return [root.outerHTML, root.innerText, colours.sort(), pixels,
                [...root.querySelectorAll('input, select')].map((field) => [field.value, field.checked])];
        }""",
        name,
    )


def test_two_explorers(browser: Browser, tmp_path: Path) -> None:
    left, right = (render(maps_of(text, seed=i), ".html") for i, text in enumerate((LEFT, RIGHT)))
    with beside(browser, tmp_path, "explorer/explorer.js", left, right) as page:
        before = state_of(page, "right")
        one, other = page.locator("#left"), page.locator("#right")
        for view in ("head", "text", "lines", "flow", "text"):
            one.locator(f"nav [data-view={view}]").click()
            expect(one.locator(f".view[data-part={view}]")).to_be_visible()
            state_of(page, "left")
        one.get_by_label("tokens", exact=True).check()
        one.get_by_role("button", name="Light / dark").click()
        one.locator("[data-part=text-query] .u").nth(3).click()
        expect(one.locator("[data-part=top-title]")).to_contain_text("attends to")
        page.keyboard.press("]")
        expect(one.locator("[data-part=caption]")).to_contain_text("layer 0, head 1")
        page.mouse.move(0, 0)
        assert state_of(page, "right") == before
        kept = state_of(page, "left")
        other.locator("nav [data-view=text]").click()
        expect(other.locator("[data-part=text-query]")).to_have_text(re.compile("Nobody"))
        other.get_by_text("lived", exact=True).click()
        expect(other.locator("[data-part=top-title]")).to_have_text("lived attends to")
        page.mouse.move(0, 0)
        assert state_of(page, "left") == kept
        assert "#" not in page.url


def test_two_reading_pages(browser: Browser, tmp_path: Path) -> None:
    left, right = (render(result(text), ".html") for text in (LEFT, RIGHT))
    with beside(browser, tmp_path, "reading/attribution.js", left, right) as page:
        before = state_of(page, "right")
        one = page.locator("#left")
        one.get_by_label("tokens", exact=True).check()
        one.locator("[data-part=text] .u:not(.special)").nth(3).click()
        one.locator("input[type=search]").fill("the")
        one.get_by_role("button", name="Light / dark").click()
        expect(one.locator(".pinned")).to_have_count(1)
        expect(one.locator("[data-part=unit]")).to_have_text("gradient score per token")
        expect(one.locator(".match")).to_have_count(3)
        page.mouse.move(0, 0)
        assert state_of(page, "right") == before
        assert "#" not in page.url


def test_two_results_by_token(browser: Browser, tmp_path: Path) -> None:
    left, right = (render(per_token(result(ENGLISH), 4, signed=True), ".html") for _ in range(2))
    with beside(browser, tmp_path, "reading/per_token.js", left, right) as page:
        before = state_of(page, "right")
        page.locator("#left [data-part=targets] label").nth(2).click()
        page.locator("#left").get_by_label("one range").check()
        expect(page.locator("#left [data-part=targets] input").nth(2)).to_be_checked()
        assert state_of(page, "right") == before


def test_data_that_is_missing_is_named(browser: Browser, tmp_path: Path) -> None:
    code = bundle.script("source.js")
    page = f'<!doctype html><title>none</title><script type="module">{code}\nwindow.$source = $source;</script>'
    with (
        opened(browser, tmp_path, page.encode()) as window,
        pytest.raises(Exception, match='holds no element "x-manifest"'),
    ):
        window.evaluate("new $source.PageSource(document, 'x-').manifest")
