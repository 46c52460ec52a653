"""The figure of an evaluation: curves with their bands."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_results import evaluation

from attnscope.errors import InputError
from attnscope.render import render
from attnscope.render.content.evaluation import LINES
from attnscope.render.figure.evaluation import _figure
from attnscope.results.evaluation import YARDSTICK


@pytest.mark.parametrize("dark", [False, True])
def test_the_methods_that_stand_out_have_a_line_and_a_band_in_their_colour(dark: bool) -> None:
    drawn = evaluation()
    figure = _figure(drawn, dark, None)
    assert len(figure.axes) == 2
    for ax, name in zip(figure.axes, ("deletion", "insertion"), strict=True):
        lines = {line.get_label(): line for line in ax.lines}
        assert list(lines) == ["deletion", "x<i>", YARDSTICK]
        assert [lines[method].get_color() for method in ("deletion", "x<i>")] == list(LINES[dark][:2])
        mean, _, _ = drawn.curve("deletion", name)
        assert np.array_equal(lines["deletion"].get_ydata(), mean)
        assert len(ax.collections) == len(lines), "a band each"
    assert "gone" in figure.axes[0].get_xlabel()
    assert "lower is better" in figure.axes[0].get_title(loc="left").replace("\n", " ")


def test_nothing_to_draw_says_so() -> None:
    with pytest.raises(InputError, match="has no curves"):
        render(replace(evaluation(), rows=()), ".png")
