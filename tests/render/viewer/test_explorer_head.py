"""The view of one head: the map, cell by cell."""

import re
from pathlib import Path

from browsing import near, opened, ready
from drawn_maps import TEXT, kept, maps_of
from playwright.sync_api import Browser, expect

from attnscope.render import render
from attnscope.results.attention_maps import AttentionMaps


def label(maps: AttentionMaps, k: int) -> str:
    return maps.key_side.tokens[k].text.strip()


def test_hover_on_the_map_shows_pythons_numbers(browser: Browser, tmp_path: Path) -> None:
    maps = maps_of(TEXT)
    with opened(browser, tmp_path, render(maps, ".html"), "#view=head&layer=1&head=2&unit=token&special=1") as page:
        ready(page)
        truth = maps.weights(1, 2)
        box = page.locator("[data-part=map]").bounding_box()
        assert box is not None
        count = len(maps.queries)
        for q, k in [(0, 0), (3, 7), (count - 1, 2), (9, count - 1)]:
            page.mouse.move(box["x"] + (k + 0.5) * box["width"] / count, box["y"] + (q + 0.5) * box["height"] / count)
            value, rank, _ = re.split(", rank | of ", page.locator("[data-part=tip] div").inner_text())
            assert near(value, truth[q, k], truth[q].max())
            same = kept(maps, 1, 2)[q]
            assert int(rank) == 1 + int((same > same[k] * (1 + 1e-9)).sum())
            expect(page.locator("[data-part=live]")).to_contain_text(
                f"→ {label(maps, k)}, {value}, rank {rank} of {count}"
            )
