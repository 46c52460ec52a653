"""The page of two similar texts: it reads without a script, and a word shows its lines alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browsing import opened
from drawn_results import similar
from playwright.sync_api import Browser

from attnscope.errors import InputError
from attnscope.render import render
from attnscope.render.content.similarity import lines_of

ONE = similar("a castle on the hill", "the fortress")


@pytest.mark.parametrize("width", [360, 1100])
def test_the_page(browser: Browser, tmp_path: Path, width: int) -> None:
    with opened(browser, tmp_path, render(ONE, ".html"), viewport={"width": width, "height": 700}) as page:
        assert page.locator("h1").text_content() == "Why two texts are similar: cosine similarity 0.5"
        assert page.locator(".passage").all_text_contents() == ["a castle on the hill", "the fortress"]
        assert page.locator(".links line").count() == len(lines_of(ONE))
        assert page.locator(".pairs-map td").all_text_contents()[-1] == "0.4"
        # Lines end at their words.
        line = page.locator(".links line").last.bounding_box()
        words = [page.locator(f".words.{side} li").last.bounding_box() for side in ("left", "right")]
        assert line is not None
        for end, word in zip((line["y"] + line["height"], line["y"]), words, strict=True):
            assert word is not None
            assert abs(end - word["y"] - word["height"] / 2) < 6
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator(".words.right li").first.hover()
        shown = page.locator(".links line:not(.off)").evaluate_all("lines => lines.map(line => line.dataset.right)")
        assert set(shown) == {"0"}
        assert "sum of all" in page.locator("[data-part=tip]").inner_text()
        page.locator(".words.left li").first.focus()
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.textContent") == "castle"
        page.keyboard.press("Escape")
        assert page.locator(".links line.off").count() == 0


def test_a_map_that_is_too_large_is_left_out() -> None:
    long = similar(" ".join("a" * 250), " ".join("b" * 200))
    page = render(long, ".html").decode()
    assert "too large for a page" in page
    assert "<td" not in page
    wide = render(similar("a", " ".join("b" * 20)), ".html").decode()
    assert 'class="pairs-map small"' in wide
    with pytest.raises(InputError, match="font_size=0"):
        render(ONE, ".html", font_size=0)


def test_texts_that_have_nothing_in_common_draw() -> None:
    nothing = replace(ONE, scores=np.zeros((5, 2)))
    assert b"<line" not in render(nothing, ".html")
