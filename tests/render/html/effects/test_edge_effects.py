"""The page of the effects of edges."""

from pathlib import Path

from browsing import opened, serious
from drawn_results import JAPANESE, edge_effects
from playwright.sync_api import Browser

from attnscope.render import render


def test_every_word_and_layer_has_a_cell() -> None:
    page = render(edge_effects(2), ".html").decode()
    assert 'title="castle, layer 0: 1 (0.5 to 1.5)"' in page
    assert page.count("<td") == 6


def test_everybody_can_read_it_on_a_narrow_screen(browser: Browser, tmp_path: Path) -> None:
    content = render(edge_effects(1, ("吾輩は猫である名前はまだ無い", "猫"), JAPANESE), ".html", dark=True)
    with opened(browser, tmp_path, content, viewport={"width": 360, "height": 700}) as page:
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        with page.expect_download() as saved:
            page.get_by_role("button", name="CSV").click()
        assert saved.value.path().read_text("utf-8-sig").splitlines()[0] == "word,layer,effect"
