"""Attention as lines."""

import numpy as np
import pytest
from drawn_maps import by_character as made
from drawn_maps import signed_by_character as signed
from drawn_maps import words_in
from matplotlib.colors import to_hex

from attnscope.errors import InputError
from attnscope.render.colours import LIGHT, LIGHT_SIGNED
from attnscope.render.figure import plot


def test_a_sink_does_not_swamp_the_lines() -> None:
    calm, swamped = plot.lines(made("abcde"), 0, 0), plot.lines(made("abcde", sink=0.9), 0, 0)
    assert "off the scale" not in words_in(calm)
    assert "off the scale: “a”, which takes 9" in words_in(swamped)
    to_sink = [line for line in swamped.lines if line.get_ydata()[1] == 0]
    others = [line for line in swamped.lines if line.get_ydata()[1] != 0]
    assert {to_hex(line.get_color()) for line in to_sink} == {LIGHT.muted}
    assert max(line.get_linewidth() for line in to_sink) < 1 < max(line.get_linewidth() for line in others)
    with pytest.raises(InputError, match="choose up to 80"):
        plot.lines(made("x" * 90), 0, 0)


def test_lines_of_signed_weights_are_red_and_blue() -> None:
    maps = signed("abcde")
    weights = maps.weights(0, 0)[1:, 1:]
    ax = plot.lines(maps, 0, 0)
    drawn = {tuple(map(int, line.get_ydata())): line for line in ax.lines}
    largest = np.abs(weights).max()
    assert set(drawn) == {(i, j) for i, j in np.ndindex(weights.shape) if abs(weights[i, j]) > 0.02 * largest}
    blue, red = set(LIGHT_SIGNED.steps[:32]), set(LIGHT_SIGNED.steps[32:])
    for (i, j), line in drawn.items():
        assert to_hex(line.get_color()) in (red if weights[i, j] > 0 else blue)
    assert max(drawn, key=lambda at: drawn[at].get_linewidth()) == np.unravel_index(np.abs(weights).argmax(), (5, 5))
    assert "red: positive, blue: negative" in words_in(ax)
