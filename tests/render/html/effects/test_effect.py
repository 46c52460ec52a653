"""The page of a knock-out: its tables sort, its buttons save, and nobody is kept from reading it."""

from pathlib import Path

import pytest
from browsing import opened, serious
from drawn_results import JAPANESE, effect
from playwright.sync_api import Browser, expect

from attnscope.render import render

PAGE = render(effect(), ".html")


def test_values_words_and_tokens_are_there_without_a_script() -> None:
    page = PAGE.decode()
    assert "Without head 7 of layer 15" in page
    assert page.count("<tr>") == 3 + 2 + 2
    assert ">60.00%<" in page
    assert "A note about" in page
    assert "place 90" in page


def test_a_click_on_a_head_sorts(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, PAGE) as page:
        first = page.locator("table.all").first.locator("tbody tr").first
        expect(first).to_contain_text("hill")
        page.get_by_role("button", name="after").first.click()
        expect(first).to_contain_text("river")
        with page.expect_download() as saved:
            page.get_by_role("button", name="CSV").click()
        lines = saved.value.path().read_text("utf-8-sig").splitlines()
        assert lines[0] == "next,before,after,place_before,place_after"
        assert len(lines) == 4


@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_read_it_on_a_narrow_screen(browser: Browser, tmp_path: Path, dark: bool) -> None:
    drawn = effect(JAPANESE, ("吾輩", "猫", "どこで生れたかとんと見当がつかぬ" * 3))
    with opened(browser, tmp_path, render(drawn, ".html", dark=dark), viewport={"width": 360, "height": 700}) as page:
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
