"""The page of a citation: links, the sources of one statement, intervals, true effects; nobody is kept from it."""

from pathlib import Path

import pytest
from browsing import opened, serious
from drawn_results import citation, estimated
from playwright.sync_api import Browser, expect

from attnscope.render import render


def test_the_answer_and_its_sources_are_there_without_a_script() -> None:
    page = render(citation(), ".html").decode()
    assert '<a href="#source-0"><bdi>1</bdi></a>' in page
    assert "<i>none of these</i>" in page
    assert page.index('id="source-0"') < page.index('id="source-1"') < page.index('id="source-2"')
    assert page.count("<summary>Without it: ") == 3
    partly = render(estimated(), ".html").decode()
    assert partly.count("Its true effect was not measured.") == 1


def test_a_click_on_a_statement_shows_its_sources(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(estimated(), ".html")) as page:
        first = page.locator("article").first
        expect(first).to_contain_text("+13.1")
        page.get_by_role("button", name="It is on a hill.").click()
        expect(first).to_contain_text("A title")
        expect(first.locator(".score")).to_have_text("+6")
        expect(page.locator(".of")).to_have_text("of statement 2")
        first.locator("h3").hover()
        tip = page.locator("[data-part=tip]")
        expect(tip).to_contain_text("95 % interval +5.5 to +6.75")
        expect(tip).to_contain_text("without it -6 nats")
        first.locator("summary").click()
        expect(first.locator("table")).to_be_visible()
        expect(first.locator("tbody tr").nth(1)).to_contain_text("+6")
        page.get_by_role("button", name="It is on a hill.").press("Enter")
        expect(page.locator(".of")).to_have_text("of the whole answer")
        with page.expect_download() as saved:
            page.locator("[data-part=save-csv]").click()
        rows = Path(saved.value.path()).read_text("utf-8-sig").splitlines()
        assert len(rows) == 16


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_from_reading_it(browser: Browser, tmp_path: Path, scheme: str) -> None:
    shown = citation(
        "誰が城を建てた？", ("太郎が建てた。", "丘にある。", "雨。"), ("太郎が建てた。丘だ。", "丘。", "川。")
    )
    with opened(
        browser, tmp_path, render(shown, ".html"), viewport={"width": 360, "height": 700}, color_scheme=scheme
    ) as page:
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
