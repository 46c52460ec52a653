"""The colour maps that a page of maps offers."""

import numpy as np
import pytest
from colour_vision import VISIONS, cielab

from attnscope.render.colours import DARK, LIGHT, ColourMap, contrast, text_on
from attnscope.render.palettes import PALETTES, _to_hex, _to_oklab

PALETTE_MAPS = [pytest.param(each, id=f"{name}-{i}") for name, pair in PALETTES.items() for i, each in enumerate(pair)]


@pytest.mark.parametrize("colours", PALETTE_MAPS)
@pytest.mark.parametrize("vision", VISIONS)
def test_every_palette_reads_for_every_colour_vision(colours: ColourMap, vision: str) -> None:
    labs = [cielab(step, vision) for step in colours.steps]
    assert np.linalg.norm(labs[0] - labs[-1]) >= 40
    lightness = np.array([lab[0] for lab in labs])
    steps = np.diff(lightness) * np.sign(lightness[-1] - lightness[0])
    assert steps.min() > -0.3
    assert len(colours.steps) == 64
    assert colours.steps[0] == colours.background
    assert min(contrast(step, text_on(step)) for step in colours.steps) >= 4.5


def test_each_palette_is_a_pair_on_the_pages_own_background() -> None:
    assert list(PALETTES) == ["ember", "sea", "grey"]
    for light, dark in PALETTES.values():
        assert (light.background, dark.background) == (LIGHT.background, DARK.background)
        assert (light.ink, dark.ink) == (LIGHT.ink, DARK.ink)


def test_a_colour_goes_to_oklab_and_back() -> None:
    for colour in ("#000000", "#ffffff", "#2a7fb4", "#d8f3d6"):
        assert _to_hex(_to_oklab(colour)) == colour
    assert _to_oklab("#ffffff") == pytest.approx((1, 0, 0), abs=1e-6)
    assert _to_oklab("#ff0000") == pytest.approx((0.62796, 0.22486, 0.12585), abs=1e-4)
