"""The page of maps as a whole, made by hand and hostile; what one view shows is in viewer/test_explorer_VIEW.py."""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from browsing import EXPLORER_VIEWS as VIEWS
from browsing import go, opened, ready, serious
from drawn_maps import TEXT, maps_of
from drawn_results import result
from playwright.sync_api import Browser, expect

from attnscope.errors import InputError
from attnscope.render import notebook_html, render
from attnscope.results.base import Measured

HOSTILE = {
    "script": "a </script><b>bold</b> <script>alert(1)</script> &amp; <!-- <!--<script> ]]> ${title} $low",
    "japanese": "吾輩は 猫で ある。 名前は まだ 無い。",
    "arabic": "كان القصر يقف على التل فوق النهر",
    "emoji": "A family 👨‍👩‍👧‍👦 and a flag 🇯🇵 and 👍🏽 ok e\u0301",
    "controls": "nul\0 bell\a esc\x1b[31mred\x1b[0m cr\r\nlf del\x7f c1\x85\x9b31m \u202eover\u202c end",
    "spaces": "\n\n  \t lead  two   three\n\n\n\ttab\ttab   \n",
    "formulas": "=1+1 +2 -3 @SUM(A1) \"quoted\", 'single' $x$",
    "one": "alone",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_in_every_view(browser: Browser, tmp_path: Path, name: str) -> None:
    with opened(browser, tmp_path, render(maps_of(HOSTILE[name]), ".html"), "#special=1") as page:
        for view in VIEWS:
            go(page, view)
            assert page.locator("b:not([data-part=tip] b)").count() == 0
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            if view == "text":
                shown = page.evaluate("document.querySelector('[data-part=text-query]').textContent")
                shown = shown.replace("[CLS]", "").replace("[SEP]", "")
                plain = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", lambda m: chr(0x2400 + ord(m[0])), HOSTILE[name])
                assert shown in (plain, plain.replace("\r\n", "\n"))
                page.get_by_label("Make white space visible").check()
                ready(page)
                marked = page.evaluate("document.querySelector('[data-part=text-query]').textContent")
                assert marked.replace("[CLS]", "").replace("[SEP]", "") == shown
        page.keyboard.press("]")
        ready(page)


def test_keyboard_walk(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(maps_of(TEXT), ".html")) as page:
        ready(page)
        for key, view in zip("2345", VIEWS[1:], strict=True):
            page.keyboard.press(key)
            expect(page.locator(f"[data-part={view}]")).to_be_visible()
        page.keyboard.press("2")
        for key, layer, head in [("]", "0", "1"), ("]", "0", "2"), ("]", "0", "0"), ("}", "1", "0"), ("{", "0", "0"),
                                 ("[", "0", "2"), ("ArrowDown", "1", "2"), ("ArrowLeft", "1", "1")]:  # fmt: skip
            page.keyboard.press(key)
            assert (
                page.locator("[data-part=layer]").input_value(),
                page.locator("[data-part=head-number]").input_value(),
            ) == (layer, head)
        page.locator("[data-part=stage]").focus()
        for _ in range(3):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        expect(page.locator("[data-part=live]")).to_contain_text("rank")
        page.keyboard.press("Enter")
        expect(page.locator("[data-part=unpin]")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("[data-part=unpin]")).to_be_hidden()
        page.keyboard.press("3")
        page.locator("[data-part=text-query]").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        expect(page.locator("[data-part=text-query] .q")).to_have_text("castle")
        page.keyboard.press("Enter")
        page.keyboard.press("End")
        page.keyboard.press("Shift+Enter")
        expect(page.locator("[data-part=text-query] .q2")).to_have_text("war.")
        expect(page.locator("[data-part=unit]")).to_contain_text("difference")
        page.keyboard.press("1")
        page.locator(".tile").first.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        expect(page.locator(".tile.here .name")).to_have_text("1·1")
        page.keyboard.press(" ")
        expect(page.locator("[data-part=chosen-count]")).to_have_text("1 heads selected")
        page.keyboard.press("?")
        expect(page.locator("[data-part=help]")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("[data-part=help]")).to_be_hidden()


def test_the_fragment_holds_the_view(browser: Browser, tmp_path: Path) -> None:
    content = render(maps_of(TEXT), ".html")
    with opened(browser, tmp_path, content, "#view=text&layer=1&head=2&pin=3&palette=sea&theme=dark&scale=map") as page:
        ready(page)
        expect(page.locator("[data-part=text-query] .q")).to_have_text("stood")
        expect(page.locator("[data-part=caption]")).to_contain_text("layer 1, head 2")
        assert page.locator("[data-part=palette]").input_value() == "sea"
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.keyboard.press("[")
        page.wait_for_timeout(200)
        assert "head=1" in page.url
        assert "pin=3" in page.url
        page.evaluate("location.hash = '#view=head&layer=0'")
        expect(page.locator("[data-part=head]")).to_be_visible()
        page.evaluate("location.hash = '#view=head&layer=77&head=1'")
        expect(page.locator("[data-part=caption]")).to_contain_text("layer 0, head 1")


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_seen_is_saved(browser: Browser, tmp_path: Path, view: str) -> None:
    maps = maps_of(HOSTILE["script"])
    with opened(browser, tmp_path, render(maps, ".html"), f"#view={view}&layer=1&head=1") as page:
        ready(page)
        page.wait_for_timeout(100)
        files = {}
        for kind in ("png", "svg", "csv"):
            with page.expect_download() as download:
                page.locator(f"[data-part=save-{kind}]").click()
            files[kind] = Path(download.value.path()).read_bytes()
        assert files["png"].startswith(b"\x89PNG\r\n\x1a\n")
        assert len(files["png"]) > 3000
        drawn = ElementTree.fromstring(files["svg"])
        words = "".join(drawn.itertext())
        assert "tests/tiny" in words
        assert not drawn.findall(".//{http://www.w3.org/2000/svg}script")
        rows = list(csv.reader(io.StringIO(files["csv"].decode("utf-8-sig"))))
        assert len({len(row) for row in rows}) == 1
        if view == "head":
            truth = maps.words().weights(1, 1)
            assert np.abs(np.array([row[1:] for row in rows[1:]], dtype=float) - truth).max() < 0.012
            assert rows[1][0] == "a"
        if view == "overview":
            assert len(rows) == 7


def test_a_file_holds_the_map_that_was_asked_for_last(browser: Browser, tmp_path: Path) -> None:
    """Save is pressed before that map has come: at first there is none, later another."""
    maps = maps_of(TEXT)
    with opened(browser, tmp_path, render(maps, ".html"), "#layer=0&head=0") as page:
        for press, head in (("[data-view=head]", 0), ("[data-part=head-next]", 1)):
            with page.expect_download() as download:
                page.evaluate(
                    "(parts) => parts.forEach((part) => document.querySelector(part).click())",
                    [press, "[data-part=save-csv]"],
                )
            assert download.value.suggested_filename == f"attention-head-layer0-head{head}.csv"
            rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
            shares = np.array([row[1:] for row in rows[1:]], dtype=float)
            assert np.abs(shares - maps.words().weights(0, head)).max() < 0.012


def test_a_page_over_its_budget_says_what_is_missing_and_is_never_blank(browser: Browser, tmp_path: Path) -> None:
    maps = maps_of(TEXT * 12, layers=5, heads=2)
    full = len(render(maps, ".html"))
    budget = (full - 0.8 * (full - len(render(maps, ".html", max_mb=0.0001)))) / 1e6
    content = render(maps, ".html", max_mb=budget)
    assert len(content) <= budget * 1e6
    with opened(browser, tmp_path, content, "#view=head&layer=1") as page:
        expect(page.locator("[data-part=missing]")).to_be_visible()
        expect(page.locator("[data-part=notes]")).to_contain_text("left out")
        expect(page.locator("[data-part=notes]")).to_contain_text("% of the attention")
        page.wait_for_timeout(300)
        pixels = "document.querySelector('[data-part=outline]').getContext('2d').getImageData(0, 0, 64, 64).data"
        assert page.evaluate(f"new Set({pixels}).size") > 5
        page.keyboard.press("{")
        page.keyboard.press("{")
        ready(page)
        expect(page.locator("[data-part=missing]")).to_be_hidden()


def test_statistics_alone(browser: Browser, tmp_path: Path) -> None:
    maps = replace(maps_of(TEXT), codes=None, largest=None)
    with opened(browser, tmp_path, render(maps, ".html"), "#sort=sink") as page:
        expect(page.locator(".tile")).to_have_count(6)
        expect(page.locator(".tile .stat").first).to_contain_text("%")
        expect(page.locator("[data-part=notes]")).to_have_text("Only statistics were kept, no maps.")


def test_a_notebooks_frame_works(browser: Browser) -> None:
    maps = maps_of(TEXT)
    assert maps._repr_html_() == notebook_html(maps)
    window = browser.new_context()
    page = window.new_page()
    page.set_content(notebook_html(maps))
    frame = page.frame_locator("iframe")
    frame.locator(".tile").nth(4).click()
    expect(frame.locator("[data-part=head]")).to_be_visible()
    expect(frame.locator("[data-part=caption]")).to_contain_text("layer 1, head 1")
    frame.locator("[data-view=text]").click()
    frame.locator("[data-part=text-query] .u").nth(3).hover()
    expect(frame.locator("[data-part=top-rows] tr").first).to_be_visible()
    window.close()


def test_narrow_screens_never_scroll_sideways(browser: Browser, tmp_path: Path) -> None:
    viewport = {"width": 360, "height": 640}
    with opened(browser, tmp_path, render(maps_of(TEXT), ".html"), viewport=viewport) as page:
        for view in VIEWS:
            go(page, view)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, tmp_path: Path, scheme: str) -> None:
    content = render(maps_of(TEXT), ".html", flow=[result(TEXT)])
    with opened(browser, tmp_path, content, "#pin=3", color_scheme=scheme) as page:
        for view in VIEWS:
            go(page, view)
            assert serious(page) == []


def test_impossible_values_are_refused() -> None:
    for options in ({"max_mb": 0}, {"quality": "best"}):
        with pytest.raises(InputError, match=next(iter(options))):
            render(maps_of("a b"), ".html", **options)


def test_layers_without_attention_weights_are_named_on_the_page_and_in_what_is_saved(
    browser: Browser, tmp_path: Path
) -> None:
    maps = maps_of(TEXT)
    some = replace(maps, measured=Measured(coverage=(2, 5)))
    followed = result(TEXT, method="rollout", measured={"coverage": (1, 3)})
    said = "2 of 5 layers are shown; the others have no attention weights."
    with opened(browser, tmp_path, render(some, ".html", flow=[followed])) as page:
        expect(page.locator("[data-part=notes]")).to_contain_text(said)
        go(page, "flow")
        expect(page.locator("[data-part=scores]")).to_contain_text("Attention was followed through 1 of 3 layers;")
    with opened(browser, tmp_path, render(maps, ".html")) as page:
        expect(page.locator("[data-part=notes]")).not_to_contain_text("layers")
