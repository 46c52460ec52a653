"""The page and the figure of an agreement."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browsing import opened
from drawn_results import ENGLISH, JAPANESE, RESULTS, SEGMENTS, agreement_of
from playwright.sync_api import Browser, expect

import attnscope as ats
from attnscope.errors import DamagedFileError
from attnscope.render import RENDERERS, notebook_html, render
from attnscope.render.content.caption import number
from attnscope.results.agreement import Agreement


@pytest.mark.parametrize(("text", "pattern"), [(ENGLISH, r"\w+|[^\w\s]"), (JAPANESE, SEGMENTS)], ids=["en", "ja"])
@pytest.mark.parametrize("width", [360, 1200])
def test_the_maps_stand_under_each_other(browser: Browser, tmp_path: Path, text: str, pattern: str, width: int) -> None:
    found = agreement_of(text, pattern)
    view = {"viewport": {"width": width, "height": 700}}
    with opened(browser, tmp_path, render(found, ".html"), **view) as page:
        assert page.locator(".passage").all_text_contents() == [text] * 3
        lefts = page.evaluate(
            "[...document.querySelectorAll('.passage')].map((t) => [...t.querySelectorAll('.u')]"
            ".map((s) => Math.round(s.getBoundingClientRect().left)))"
        )
        assert lefts[0] == lefts[1] == lefts[2]
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_word_is_shown_in_every_method(browser: Browser, tmp_path: Path) -> None:
    found = agreement_of()
    with opened(browser, tmp_path, render(found, ".html")) as page:
        first = page.locator(".passage").nth(0).locator(".u")
        first.nth(2).hover()
        expect(page.locator(".here")).to_have_count(3)
        expected = [f"{n} {number(r.words[2].score)}" for n, r in zip(found.names, found.results, strict=True)]
        assert page.locator("[data-part=tip] div").all_text_contents() == expected
        first.nth(0).focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        expect(page.locator(".passage").nth(1).locator(".u").nth(1)).to_be_focused()
        expect(page.locator("[data-part=live]")).to_contain_text(f"gim {number(found.results[1].words[1].score)}")
        page.keyboard.press("End")
        expect(page.locator(".passage").nth(1).locator(".u").last).to_be_focused()
        assert page.locator("[tabindex]").count() == 3


def test_it_reads_without_javascript(browser: Browser, tmp_path: Path) -> None:
    found = agreement_of()
    with opened(browser, tmp_path, render(found, ".html"), java_script_enabled=False) as page:
        said = page.locator("body").inner_text()
        for part in (f"{found.rank[0, 1]:.2f}", f"{found.overlap[0, 1]:.0%}", "—", "Completeness error", "at most 0.2"):
            assert part in said


def test_hostile_texts(browser: Browser, tmp_path: Path) -> None:
    pair = [RESULTS["script"], replace(RESULTS["script"], method="<b>other</b>")]
    found = ats.agreement(pair)
    with opened(browser, tmp_path, render(found, ".html")) as page:
        assert page.locator(".passage").nth(1).text_content() == RESULTS["script"].text
        assert page.evaluate("document.scripts.length") == 3  # the data, Japanese, the page's own
        expect(page.locator("h2").nth(1)).to_contain_text("<b>other</b>")


@pytest.mark.parametrize("suffix", RENDERERS[Agreement])
def test_every_format_draws_twice_the_same(suffix: str) -> None:
    found = agreement_of()
    assert len(render(found, suffix)) > 100
    assert render(found, suffix) == render(found, suffix)


def test_the_figure_shows_both_tables() -> None:
    found = agreement_of()
    for dark in (False, True):
        axes = ats.plot.agreement(found, dark=dark)
        cells = [[t.get_text() for t in ax.texts] for ax in axes]
        assert cells[0] == ["—" if np.isnan(x) else f"{x:.2f}" for x in found.rank.ravel()]
        assert cells[1] == [f"{x:.0%}" for x in found.overlap.ravel()]


def test_json_comes_back(tmp_path: Path) -> None:
    found = agreement_of()
    found.save(tmp_path / "a.json")
    again = Agreement.from_json((tmp_path / "a.json").read_text())
    assert again.results == found.results
    np.testing.assert_array_equal(again.rank, found.rank)
    for damaged in ("{}", "[1]", '{"kind": "agreement", "schema": 9}', '{"kind": "agreement", "schema": 1}'):
        with pytest.raises(DamagedFileError):
            Agreement.from_json(damaged)
    assert notebook_html(found) == found._repr_html_()
