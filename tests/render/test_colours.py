import itertools

import numpy as np
import pytest
from colour_vision import VISIONS, cielab

from attnscope.render.colours import DARK, DARK_SIGNED, LIGHT, LIGHT_SIGNED, ColourMap, contrast, text_on

MAPS = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])


@MAPS
@pytest.mark.parametrize("vision", VISIONS)
def test_the_ends_are_far_apart_for_every_colour_vision(colours: ColourMap, vision: str) -> None:
    distance = np.linalg.norm(cielab(colours.steps[0], vision) - cielab(colours.steps[-1], vision))
    assert distance >= 40


@MAPS
@pytest.mark.parametrize("vision", VISIONS)
def test_lightness_never_turns(colours: ColourMap, vision: str) -> None:
    lightness = np.array([cielab(step, vision)[0] for step in colours.steps])
    steps = np.diff(lightness) * np.sign(lightness[-1] - lightness[0])
    # A step is about one unit; a hundredth of the whole run is rounding to eight bits.
    assert steps.min() > -0.3
    rising = lightness if lightness[0] < lightness[-1] else lightness[::-1]
    assert (np.diff(rising[::3]) > 0).all()


def grey(colour: str) -> float:
    """What a printer without colour makes of it, 0 to 255: luma, as PostScript and drivers weigh it."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue


@pytest.mark.parametrize("colours", [LIGHT, DARK, LIGHT_SIGNED, DARK_SIGNED])
def test_grey_print_keeps_the_order_of_scores(colours: ColourMap) -> None:
    arms = [colours.steps] if len(set(colours.steps)) == 64 else [colours.steps[31::-1], colours.steps[32:]]
    for arm in arms:
        away = np.abs(np.array([grey(step) for step in arm]) - grey(arm[0]))
        assert (np.diff(away[::3]) > 0).all()
        assert (np.diff(away) > -1.5).all()
        assert away[-1] > 100


@MAPS
def test_lightness_steps_are_even(colours: ColourMap) -> None:
    lightness = np.array([cielab(step)[0] for step in colours.steps])
    steps = np.abs(np.diff(lightness[::7]))
    assert steps.max() < 1.6 * steps.min()


@MAPS
def test_text_reads_on_every_step(colours: ColourMap) -> None:
    assert min(contrast(step, text_on(step)) for step in colours.steps) >= 4.5
    assert contrast(colours.background, colours.ink) >= 7
    assert contrast(colours.background, colours.muted) >= 4.5


@MAPS
def test_zero_is_the_page(colours: ColourMap) -> None:
    assert colours.colour(0.0) == colours.background


@MAPS
def test_steps(colours: ColourMap) -> None:
    assert len(set(colours.steps)) == len(colours.steps) == 64
    steps = [colours.step(x) for x in np.linspace(0, 1, 1001)]
    assert steps[0] == 0
    assert steps[-1] == 63
    assert all(a <= b <= a + 1 for a, b in itertools.pairwise(steps))


def test_contrast_is_wcags() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


SIGNED = pytest.mark.parametrize("colours", [LIGHT_SIGNED, DARK_SIGNED], ids=["light", "dark"])


@SIGNED
@pytest.mark.parametrize("vision", VISIONS)
def test_for_and_against_are_far_apart_for_every_colour_vision(colours: ColourMap, vision: str) -> None:
    ends = [cielab(colours.steps[i], vision) for i in (0, 31, 63)]
    for one, other in itertools.combinations(ends, 2):
        assert np.linalg.norm(one - other) >= 40


@SIGNED
def test_both_arms_are_as_light_and_nothing_is_the_page(colours: ColourMap) -> None:
    lightness = np.array([cielab(step)[0] for step in colours.steps])
    assert np.abs(lightness - lightness[::-1]).max() < 8
    assert colours.colour(0.5) == colours.background == colours.steps[31]
    assert len(colours.steps) == 64
    assert min(contrast(step, text_on(step)) for step in colours.steps) >= 4.5
