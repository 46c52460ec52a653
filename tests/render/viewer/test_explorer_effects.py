"""Effects of heads in the explorer: sorting by them, and each head's attention against its effect."""

from pathlib import Path

import numpy as np
import pytest
from browsing import go, opened, serious
from drawn_maps import TEXT, maps_of
from playwright.sync_api import Browser, expect

import attnscope as ats
from attnscope.errors import InputError
from attnscope.render import render
from attnscope.render.html.explorer import effects_of

MAPS = maps_of(TEXT, layers=2, heads=3)


def effects(layers: tuple[int, ...] = (0, 1), heads: int = 3, stack: str = "self") -> ats.HeadEffects:
    estimates = np.array([[[0.5, -2.0, 0.25], [1.0, 0.0, -0.5]]])[:, :, :heads]
    exact = np.full_like(estimates, np.nan)
    exact[0, 1, 0] = 4.0
    return ats.HeadEffects((TEXT,), ("a target",), "logit", (1.0,), layers, (heads,) * 2, estimates, exact, stack=stack)


def test_heads_are_sorted_by_their_effect_and_held_against_it(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(MAPS, ".html", effects=effects())) as page:
        go(page, "overview")
        names = page.locator(".tile .name")
        page.locator("[data-part=sort]").select_option("effect")
        expect(names.first).to_have_text("1·0")
        assert names.all_text_contents() == ["1·0", "0·0", "0·2", "1·1", "1·2", "0·1"]
        expect(page.locator(".tile .stat").first).to_have_text("4")
        page.locator("[data-part=sort]").select_option("effect_size")
        assert names.all_text_contents()[:2] == ["1·0", "0·1"]
        dots = page.locator("[data-part=scatter] circle")
        expect(dots).to_have_count(6)
        assert "effect 4" in (dots.nth(3).text_content() or "")
        assert serious(page) == []
        dots.nth(1).click()
        expect(page.locator("[data-part=head]")).to_be_visible()


def test_without_effects_there_is_no_scatter(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, tmp_path, render(MAPS, ".html")) as page:
        go(page, "overview")
        expect(page.locator("[data-part=scatter]")).to_be_hidden()
        assert page.locator("[data-part=sort] option[value=effect]").count() == 0


def test_exact_effects_come_before_estimates() -> None:
    assert effects_of(MAPS, effects()).tolist() == [[0.5, -2.0, 0.25], [4.0, 0.0, -0.5]]


@pytest.mark.parametrize("other", [{"layers": (0, 2)}, {"heads": 2}, {"stack": "cross"}])
def test_effects_of_other_heads_are_refused(other: dict[str, object]) -> None:
    with pytest.raises(InputError, match="take the effects of the model and the attention"):
        render(MAPS, ".html", effects=effects(**other))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"scores of words go into flow"):
        render(MAPS, ".html", effects=[1])
