"""The view of rollout through the layers, and of scores that came with the maps."""

from pathlib import Path

import numpy as np
import pytest
from browsing import opened
from drawn_maps import TEXT, kept, maps_of
from drawn_results import RESULTS, result
from playwright.sync_api import Browser, expect

from attnscope.errors import InputError
from attnscope.render import render


def test_scores_that_came_with_the_data(browser: Browser, tmp_path: Path) -> None:
    flow = [result(TEXT), result(TEXT, method="rollout")]
    content = render(maps_of(TEXT), ".html", flow=flow)
    with opened(browser, tmp_path, content, "#view=flow") as page:
        expect(page.locator("[data-part=scores] h3")).to_have_text(["Importance by gradient", "Importance by rollout"])
        assert page.locator("[data-part=scores] .passage").first.text_content() == TEXT
    with pytest.raises(InputError, match="flow: expected results"):
        render(maps_of(TEXT), ".html", flow=[RESULTS["english"]])


def test_rollout_is_the_textbooks(browser: Browser, tmp_path: Path) -> None:
    maps = maps_of(TEXT, layers=4, causal=True)
    with opened(browser, tmp_path, render(maps, ".html"), "#view=flow&unit=token&special=1&pin=5") as page:
        expect(page.locator("[data-part=top-rows] tr").first).to_be_visible()
        product = np.eye(len(maps.keys))
        for layer in range(4):
            mean = np.mean([kept(maps, layer, head) for head in range(3)], 0)
            step = 0.5 * mean + 0.5 * np.eye(len(mean))
            product = (step / step.sum(-1, keepdims=True)) @ product
        shown = float(page.locator("[data-part=top-rows] tr").first.locator("td").last.inner_text())
        assert shown == pytest.approx(product[5].max(), rel=2e-3)
