"""The page of an evaluation."""

import json
from dataclasses import replace
from pathlib import Path

from browsing import opened
from drawn_results import evaluation
from playwright.sync_api import Browser

from attnscope.render import render


def test_the_leaderboard_sorts_and_points_at_curves(browser: Browser, tmp_path: Path) -> None:
    drawn = evaluation()
    with opened(browser, tmp_path, render(drawn, ".html"), viewport={"width": 360, "height": 700}) as page:
        names = page.locator("table.all tbody th")
        assert names.all_text_contents() == ["deletion", "x<i>", "random"]
        page.get_by_role("button", name="fall").click()
        assert names.first.text_content() == "deletion", "the best comes first at the first click"
        page.get_by_role("button", name="fall").click()
        assert names.first.text_content() == "random"
        names.nth(2).focus()
        assert page.locator("svg g.on").count() == 2
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert json.loads(page.evaluate("document.getElementById('data').textContent"))["texts"] == 12


def test_a_quote_in_a_saved_evaluation_ends_no_attribute(browser: Browser, tmp_path: Path) -> None:
    hostile = 'x" onmouseover="alert(1)" data-injected="'
    drawn = evaluation()
    metrics = {name: {**about, "value": hostile} for name, about in drawn.settings["metrics"].items()}
    rows = tuple(replace(row, curves={hostile: row.curves["deletion"]}) for row in drawn.rows)
    page = render(replace(drawn, settings={**drawn.settings, "metrics": metrics}, rows=rows), ".html")
    with opened(browser, tmp_path, page) as shown:
        assert shown.locator("[onmouseover], [data-injected]").count() == 0
        assert shown.locator("table.all th button").first.get_attribute("title") == hostile
        assert hostile in (shown.locator("figure svg").first.get_attribute("aria-label") or "")
