"""The playground's page in a notebook's cell, whose other side is Python."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tiny_models import small

import attnscope as ats

TEXT = "a b c d e f"


@pytest.fixture
def view() -> Iterator[Any]:
    made = ats.live(small("llama", sharp=2.0), TEXT)
    yield made
    made.close()


# A notebook's page as the widget sees it: a model with traits and messages, whose other side is Python.
_HOST = """
const heard = {}, traits = TRAITS;
window.told = (name, ...given) => (heard[name] ?? []).forEach((each) => each(...given));
window.set = (name, value) => { traits[name] = value; told(`change:${name}`); };
const model = {
  get: (name) => traits[name], set: (name, value) => { traits[name] = value; },
  save_changes: () => toPython(JSON.stringify({ fragment: traits.fragment })),
  send: (message) => toPython(JSON.stringify(message)),
  on: (name, each) => (heard[name] ??= []).push(each), off: () => {},
};
widget.render({ model, el: document.body });
"""


def test_the_page_in_a_cell_talks_to_python(browser: Browser, view: Any, tmp_path: Path) -> None:
    esm = view._esm if isinstance(view._esm, str) else str(view._esm)
    traits = json.dumps({"page": view.page, "fragment": view.fragment, "height": 900}).replace("<", "\\u003c")
    script = esm.replace("export default", "const widget =") + _HOST.replace("TRAITS", traits)
    (tmp_path / "host.html").write_text(f"<!doctype html><body><script type=module>{script}</script>", "utf-8")
    told: list[dict[str, Any]] = []
    view.send = told.append
    window = browser.new_context()
    window.set_default_timeout(20_000)
    page = window.new_page()

    def to_python(message: str) -> None:
        given = json.loads(message)
        if "fragment" in given:
            view.fragment = given["fragment"]
        else:
            view._asked(view, given, [])

    page.expose_function("toPython", to_python)
    page.goto((tmp_path / "host.html").as_uri())
    frame = page.frame_locator("iframe")
    pump(page, told, lambda: frame.locator("[data-part=importance-holder] .u").count() == 6)
    assert view.result is not None
    frame.locator("[data-part=importance-holder] .u").nth(2).click()
    title = frame.locator("[data-part=maps-holder] [data-part=top-title]")
    pump(page, told, lambda: title.count() == 1 and title.text_content() == "c attends to")
    pump(page, told, lambda: view.selection["word"] == 4)
    assert view.selection["panel"] == "attention"
    view.selection = {"method": "deletion", "panel": "importance"}
    page.evaluate("(fragment) => set('fragment', fragment)", view.fragment)
    heading = frame.locator("[data-part=importance-holder] h1")
    pump(page, told, lambda: heading.text_content() == "Importance by deletion")
    expect(heading).to_be_visible()
    # As light or dark as the notebook around it, and as long as that is.
    root = frame.locator("html")
    expect(root).to_have_attribute("data-host", "light")
    page.evaluate("document.body.style.color = 'color(srgb 1 1 1 / 0.87)'")
    expect(root).to_have_attribute("data-host", "dark")
    expect(frame.locator("[data-part=importance-holder] .viewer")).to_have_css("color-scheme", "dark")
    assert page.locator("iframe").evaluate("(frame) => frame.offsetHeight") == 900
    window.close()


def pump(page: Page, told: list[dict[str, Any]], done: Any) -> None:
    """Hand what Python tells to the page until it is done."""
    for _ in range(400):
        while told:
            page.evaluate("(message) => told('msg:custom', message)", told.pop(0))
        if done():
            return
        page.wait_for_timeout(50)
    pytest.fail("it did not come")
