"""The figure of two similar texts."""

import numpy as np
from drawn_results import similar

from attnscope.render import render
from attnscope.render.content.similarity import lines_of
from attnscope.render.figure.similarity import _figure


def test_the_figure_has_the_lines_the_map_and_the_words() -> None:
    one = similar("a castle on the hill", "the fortress")
    figure = _figure(one, False, None)
    lines, heat, _ = figure.axes
    assert len(lines.lines) == len(lines_of(one))
    assert [text.get_text() for text in lines.texts] == ["a", "castle", "on", "the", "hill", "the", "fortress"]
    np.testing.assert_array_equal(heat.images[0].get_array(), one.scores)
    assert [label.get_text() for label in heat.get_xticklabels()] == ["the", "fortress"]


def test_it_draws_the_same_twice_and_long_texts_too() -> None:
    one = similar("猫がマットに座る", "a " * 100)
    drawn = render(one, ".svg", dark=True)
    assert drawn == render(one, ".svg", dark=True)
    assert len(_figure(one, True, None).axes) == 2, "no lines between a hundred words"
