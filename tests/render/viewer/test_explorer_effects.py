"""Effects in the explorer: heads sorted and coloured by them, words in the text view, and attention against effect."""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browsing import go, opened, ready, serious
from drawn_maps import TEXT, maps_of
from drawn_results import edge_effects, result
from playwright.sync_api import Browser, Page, expect

import attnscope as ats
from attnscope.render import render
from attnscope.results.statistics import spearman

MAPS = maps_of(TEXT, layers=2, heads=3)
FEET = "[...document.querySelectorAll('.tile')].map((tile) => getComputedStyle(tile, '::after').backgroundColor)"


def of_heads() -> ats.HeadEffects:
    estimates = np.array([[[0.5, -2.0, 0.25], [1.0, 0.0, -0.5]]])
    exact = np.full_like(estimates, np.nan)
    exact[0, 1, 0] = 4.0
    return ats.HeadEffects((TEXT,), ("a target",), "logit", (1.0,), (0, 1), (3, 3), estimates, exact)


def test_heads_are_sorted_by_their_effect_and_held_against_it(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(MAPS, ".html", effects=of_heads())) as page:
        go(page, "overview")
        names = page.locator(".tile .name")
        page.locator("[data-part=sort]").select_option("effect")
        expect(names.first).to_have_text("1·0")
        assert names.all_text_contents() == ["1·0", "0·0", "0·2", "1·1", "1·2", "0·1"]
        expect(page.locator(".tile .stat").first).to_have_text("4")
        page.locator("[data-part=sort]").select_option("effect_size")
        assert names.all_text_contents()[:2] == ["1·0", "0·1"]
        dots = page.locator("[data-part=scatter] circle")
        expect(dots).to_have_count(6)
        assert "effect 4" in (dots.nth(3).text_content() or "")
        assert serious(page) == []
        dots.nth(1).click()
        expect(page.locator("[data-part=head]")).to_be_visible()


def test_heads_are_coloured_by_their_effect(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(MAPS, ".html", effects=of_heads(), dark=False)) as page:
        go(page, "overview")
        for_, against, none = (page.evaluate(FEET)[i] for i in (3, 1, 4))
        red, _, blue = (int(part) for part in for_[4:-1].split(", "))
        assert red > blue
        red, _, blue = (int(part) for part in against[4:-1].split(", "))
        assert blue > red
        assert len({for_, against, none}) == 3
        page.locator("[data-part=theme]").click()
        ready(page)
        assert page.evaluate(FEET)[4] != none, "as in the other theme"


def test_without_effects_there_is_no_scatter(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(MAPS, ".html")) as page:
        go(page, "overview")
        expect(page.locator("[data-part=scatter]")).to_be_hidden()
        assert page.locator("[data-part=sort] option[value=effect]").count() == 0
        assert page.locator(".tile.weighed").count() == 0
        go(page, "text")
        expect(page.locator("[data-part=matters]")).to_be_hidden()
        expect(page.locator("[data-part=attends]")).to_be_hidden()


def _steps(page: Page) -> list[str]:
    words: list[str] = page.evaluate(
        "[...document.querySelectorAll('[data-part=text-matters] .u')].map((span) => span.className.split(' ')[1])"
    )
    return words


def test_what_matters_stands_beside_what_is_attended_to(browser: Browser, tmp_path: Path) -> None:
    words = TEXT.split()
    scores = [4.0, -2.0, *[0.0] * (len(words) - 2)]
    page_of = render(MAPS, ".html", effects=replace(result(TEXT, scores, method="deletion"), signed=True))
    with opened(browser, tmp_path, page_of, accept_downloads=True) as page:
        go(page, "text")
        expect(page.locator("[data-part=matters]")).to_be_visible()
        expect(page.locator("[data-part=attends]")).to_be_visible()
        spans = page.locator("[data-part=text-matters] .u")
        assert spans.all_text_contents() == words
        assert _steps(page)[:3] == ["d63", "d16", "d32"]
        assert spans.nth(1).get_attribute("title") == "-2"
        # How far a word's attention agrees with the effects is said, and is what Python computes.
        page.locator("[data-part=text-query] .u", has_text="stood").click()
        ready(page)
        row = np.mean([MAPS.row(0, 0, token) for token in MAPS.query_side.words[2].tokens], 0)
        shares = np.array([row[list(word.tokens)].sum() for word in MAPS.key_side.words])
        said = page.locator("[data-part=matters-says]").text_content() or ""
        found = re.search(r"effects: (-?[\d.]+)\.$", said)
        assert found
        # The page has rounded the weights.
        assert float(found[1]) == pytest.approx(spearman(shares, np.abs(scores)), abs=0.03)
        with page.expect_download() as download:
            page.locator("[data-part=save-csv]").click()
        rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
        head = next(i for i, line in enumerate(rows) if line[:2] == ["place", "text"])
        assert rows[head][-1] == "effect"
        assert [line[-1] for line in rows[head + 1 : head + 4]] == ["4", "-2", "0"]
        with page.expect_download() as download:
            page.locator("[data-part=save-svg]").click()
        assert Path(download.value.path()).read_text("utf-8").count(words[1]) == 2
        assert serious(page) == []


def test_effects_of_edges_follow_the_layer(browser: Browser, tmp_path: Path) -> None:
    effects = replace(edge_effects(text=TEXT), places=((4, 10), (24, 28)))
    effects = replace(effects, effects=np.array([[[1.0, -1.0, 0.0], [0.0, 1.0, 0.0]]]))
    with opened(browser, tmp_path, render(MAPS, ".html", effects=effects)) as page:
        go(page, "text")
        assert _steps(page) == ["d63", "d32"]
        page.locator("[data-part=layer-next]").click()
        ready(page)
        assert _steps(page) == ["d0", "d63"]
        expect(page.locator("[data-part=matters-says]")).to_contain_text("Layer 1: effect on the")


def test_in_a_narrow_window_nothing_is_cut_off(browser: Browser, tmp_path: Path) -> None:
    scores = [float(i) for i in range(len(TEXT.split()))]
    content = render(MAPS, ".html", effects=[of_heads(), replace(result(TEXT, scores, method="deletion"), signed=True)])
    with opened(browser, tmp_path, content, viewport={"width": 360, "height": 800}) as page:
        for view in ("overview", "text"):
            go(page, view)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert serious(page) == []
