"""The page of the effects of heads."""

from pathlib import Path

import numpy as np
import pytest
from browsing import opened, serious
from drawn_results import head_effects
from playwright.sync_api import Browser, expect

from attnscope.render import render
from attnscope.render.html.effects.head_effects import limits


def test_every_head_has_a_cell_and_the_strongest_a_row() -> None:
    page = render(head_effects(2), ".html").decode()
    assert page.count('title="layer 1, head 0: ') == 2
    assert 'title="layer 1, head 0: 1.25 (0.75 to 1.75)"' in page
    assert 'title="layer 3, head 2: not measured"' in page
    assert page.count("<circle") == 4
    assert "rank correlation of estimate and exact effect" in page


def test_an_axis_holds_its_values_and_zero() -> None:
    low, high = limits(np.array([1.0, 2.0]))
    assert low < 0
    assert high > 2
    assert limits(np.array([0.0])) == (-1.0, 1.0)


@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_read_it_on_a_narrow_screen(browser: Browser, tmp_path: Path, dark: bool) -> None:
    content = render(head_effects(2), ".html", dark=dark)
    with opened(browser, tmp_path, content, viewport={"width": 360, "height": 700}) as page:
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        first = page.locator("table.all tbody tr").first
        expect(first).to_contain_text("3")
        page.get_by_role("button", name="estimate").click()
        expect(first.locator("td").first).to_have_text("3")
        with page.expect_download() as saved:
            page.get_by_role("button", name="CSV").click()
        assert saved.value.path().read_text("utf-8-sig").splitlines()[1] == "1,0,0.5,1.25"
