"""Pages, figures and documents of comparisons and evaluations: what they say, and that hostile text stays text."""

import csv
import html
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import opened
from drawn_results import ARABIC, ENGLISH, JAPANESE, SEGMENTS, comparison, evaluation
from playwright.sync_api import Browser, Page, expect

from attnscope.render import render
from attnscope.results.base import Result
from attnscope.results.comparison import Comparison, Comparisons

HOSTILE = "</script><script>alert(1)</script> & <b>x</b> $100 _under_ 50% #1 ~^{}\\ \u202eabc"


PAIRS = {
    "english": comparison(ENGLISH, ENGLISH.replace("castle", "castel").replace("river, and", "river"), attack="typo"),
    "japanese": comparison(JAPANESE, JAPANESE.replace("猫", "犬"), SEGMENTS),
    "arabic": comparison(ARABIC, ARABIC.replace("كان", "كانت")),
    "hostile": comparison(HOSTILE, HOSTILE.replace("100", "200"), attack="<i>", task="'\"&"),
    "equal": comparison("a b c", "a b c"),
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_page_holds_both_texts_and_its_data(browser: Browser, tmp_path: Path, name: str) -> None:
    drawn = PAIRS[name]
    with opened(browser, tmp_path, render(drawn, ".html"), viewport={"width": 360, "height": 700}) as page:
        columns = page.evaluate(
            "[0, 1].map(i => [...document.querySelectorAll('.pairs li')].map(li => li.children[i].textContent))"
        )
        for texts, side, places in zip(
            columns,
            (drawn.left, drawn.right),
            ([p.left for p in drawn.pairs], [p.right for p in drawn.pairs]),
            strict=True,
        ):
            for shown, index in zip(texts, places, strict=True):
                if index is None:
                    assert shown == "∅"
                elif "\u202e" not in side.result.words[index].text:
                    assert shown == side.result.words[index].text
        stored = page.evaluate("document.getElementById('data').textContent")
        assert Comparison.from_json(stored) == drawn
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.evaluate("document.scripts.length") == 3  # the data, Japanese, the page's own


def test_walk_with_the_keyboard(browser: Browser, tmp_path: Path) -> None:
    drawn = PAIRS["english"]
    with opened(browser, tmp_path, render(drawn, ".html")) as page:
        page.locator(".pairs li").first.focus()
        page.keyboard.press("ArrowRight")
        first = drawn.pairs[1]
        said = page.locator("[data-part=live]").text_content() or ""
        assert f"rank {drawn.left.ranks[first.left]} of" in said
        page.keyboard.press("End")
        assert page.evaluate("document.activeElement === document.querySelector('.pairs').lastElementChild")
        page.keyboard.press("ArrowUp")
        assert not page.evaluate("document.activeElement === document.querySelector('.pairs').lastElementChild")
        expect(page.locator("[data-part=tip]")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("[data-part=tip]")).to_be_hidden()
    with opened(browser, tmp_path, render(drawn, ".html")) as page:
        page.set_viewport_size({"width": 360, "height": 300})
        page.locator(".pairs li").first.focus()
        before = page.evaluate("scrollY")
        page.keyboard.press("End")
        page.wait_for_function("before => scrollY > before", arg=before)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        # The focus has scrolled the page, and the tooltip went along.
        expect(page.locator("[data-part=tip]")).to_be_visible()
        top = "{}.getBoundingClientRect().top"
        tip = "document.querySelector('[data-part=tip]')"
        beside = f"{top.format('document.activeElement')} - {top.format(tip)}"
        assert abs(page.evaluate(beside)) < 200
        page.evaluate("document.activeElement.blur()")
        page.locator(".pairs li").last.hover()
        expect(page.locator("[data-part=tip]")).to_be_visible()
        page.evaluate("scrollBy(0, 50)")
        expect(page.locator("[data-part=tip]")).to_be_hidden()
    with opened(browser, tmp_path, render(PAIRS["arabic"], ".html")) as page:
        page.locator(".pairs li").first.focus()
        page.keyboard.press("ArrowLeft")
        assert page.evaluate("[...document.querySelector('.pairs').children].indexOf(document.activeElement)") == 1


def test_right_and_wrong_have_a_sign_beside_the_colour() -> None:
    page = render(PAIRS["english"], ".html").decode()
    assert re.search(r'class="verdict right">.*?✓.*?right.*?class="verdict wrong">.*?✗.*?wrong', page, re.DOTALL)


def test_a_report_sorts_filters_and_opens_pages(browser: Browser, tmp_path: Path) -> None:
    many = Comparisons(tuple(replace(p, tags={"task": name, "attack": "x"}) for name, p in PAIRS.items()))
    with opened(browser, tmp_path, render(many, ".html")) as page:
        rows = page.locator("table.all tbody tr")
        assert rows.count() == len(PAIRS)
        page.get_by_role("button", name="task").click()
        assert rows.nth(0).locator("td").nth(1).text_content() == "arabic"
        page.get_by_role("button", name="task").click()
        assert rows.nth(0).locator("td").nth(1).text_content() == "japanese"
        page.get_by_role("button", name="edits").click()
        counts = [int(t) for t in page.locator("table.all tbody tr td:last-child").all_text_contents()]
        assert counts == sorted(counts)
        page.get_by_role("searchbox").fill("hostile")
        assert page.locator("table.all tbody tr:visible").count() == 1
        expect(page.locator(".filter span")).to_have_text(f"1 of {len(PAIRS)}")
        page.locator("table.all tbody tr:visible a").click()
        expect(page.locator("#overview")).to_be_hidden()
        expect(page.locator(".sheet:visible")).to_have_count(1)
        page.get_by_role("link", name="All pairs").click()
        expect(page.locator("#overview")).to_be_visible()
    source = render(many, ".html").decode()
    assert "<script>alert" not in source
    assert len(source.split('class="sheet"')) == len(PAIRS) + 1


def test_a_notebook_shows_the_page() -> None:
    for drawn in (PAIRS["hostile"], Comparisons((PAIRS["hostile"],)), evaluation()):
        frame = drawn._repr_html_()
        assert frame.startswith("<iframe ")
        page = html.unescape(frame.split('srcdoc="')[1].removesuffix('"></iframe>'))
        assert page.encode() == render(drawn, ".html")


def _saved(page: Page) -> list[list[str]]:
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    return list(csv.reader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"), newline="")))


@pytest.mark.parametrize("drawn", [PAIRS["japanese"], Comparisons((PAIRS["english"],)), evaluation()])
def test_the_csv_of_a_page_is_attnscopes_own(browser: Browser, tmp_path: Path, drawn: Result) -> None:
    with opened(browser, tmp_path, render(drawn, ".html")) as page:
        shown = _saved(page)
    own = list(csv.reader(io.StringIO(render(drawn, ".csv").decode("utf-8-sig"), newline="")))
    assert shown[0] == own[0]
    assert len(shown) == len(own) > 2
    for row, expected in zip(shown, own, strict=True):
        for cell, other in zip(row, expected, strict=True):
            assert cell == other or (cell, other) == ("", "nan") or float(cell) == float(other)


def test_long_names_and_labels_stay_on_a_narrow_screen(browser: Browser, tmp_path: Path) -> None:
    long = "label" * 20
    sides = (replace(PAIRS["equal"].left, name=long, probabilities=((long, 0.8), (" no", 0.2))), PAIRS["equal"].right)
    pair = replace(PAIRS["equal"], left=sides[0], right=replace(sides[1], name="b" * 80), tags={"attack": long})
    for drawn in (pair, Comparisons((pair, pair))):
        with opened(browser, tmp_path, render(drawn, ".html"), viewport={"width": 360, "height": 700}) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
