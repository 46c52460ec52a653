"""The page of maps with real attention: every view opens, and a hover says what Python says."""

import re
from pathlib import Path

import numpy as np
import pytest
from browsing import opened
from playwright.sync_api import Browser, expect
from test_maps_page import VIEWS, near, ready

import attnscope as ats
from attnscope.maps import AttentionMaps
from attnscope.render import render

LICENCE = (Path(__file__).parents[2] / "LICENSE").read_text("utf-8")


def check(browser: Browser, tmp_path: Path, maps: AttentionMaps) -> None:
    layer, head = maps.layers[-1], maps.heads[1]
    fragment = f"#view=head&layer={layer}&head={head}&unit=token&special=1"
    with opened(browser, tmp_path, render(maps, ".html"), fragment) as page:
        ready(page)
        truth = maps.weights(layer, head)
        page.locator("#stage").focus()
        for move in ("ArrowDown", "Shift+ArrowDown", "ArrowRight", "Shift+ArrowDown"):
            page.keyboard.press(move)
        q, k = 21, 1
        expect(page.locator("#tip-value")).to_contain_text(", rank ")
        value, _, count = re.split(", rank | of ", page.locator("#tip-value").inner_text())
        assert near(value, float(truth[q, k]), float(truth[q].max()))
        assert int(count) == len(maps.keys)
        shown = page.locator("#ranking tr:visible td.value").all_inner_texts()
        best = np.sort(truth[q])[::-1]
        for said, expected in zip(shown, best, strict=False):
            # The order of neighbours may differ within the coding's error, their sizes may not.
            assert near(said, float(expected), float(best[0]))
        for key, view in zip("12345", VIEWS, strict=True):
            page.keyboard.press("Escape")
            page.evaluate("document.activeElement.blur()")
            page.keyboard.press(key)
            expect(page.locator(f"#{view}")).to_be_visible()
            ready(page)
        expect(page.locator("#notes")).to_contain_text("of the attention is kept")


def text_of(model: ats.Model, tokens: int) -> str:
    offsets = model.tokenizer(LICENCE, return_offsets_mapping=True)["offset_mapping"]
    return LICENCE[: offsets[tokens - 1][1]]


def test_smollm2_at_512_tokens(browser: Browser, tmp_path: Path, smollm2: ats.Model) -> None:
    check(browser, tmp_path, ats.attention_maps(smollm2, text_of(smollm2, 512), layers=[0, 7, 15]))


@pytest.mark.filterwarnings("ignore:Token indices")
def test_minilm(browser: Browser, tmp_path: Path, minilm: ats.Model) -> None:
    check(browser, tmp_path, ats.attention_maps(minilm, LICENCE[:1200]))
