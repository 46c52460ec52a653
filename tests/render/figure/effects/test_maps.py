"""The figures of effects: layers × heads, words × layers."""

from dataclasses import replace

import numpy as np
from drawn_results import edge_effects, head_effects

from attnscope.render.figure.effects.maps import _edges, _heads


def test_heads_have_a_map_of_each_kind_and_a_dot_for_both() -> None:
    made = head_effects()
    figure = _heads(made, False, None)
    maps = [ax for ax in figure.axes if ax.images]
    np.testing.assert_array_equal(maps[0].images[0].get_array().filled(np.nan), made.estimate)
    assert maps[1].images[0].get_clim() == (-1.5, 1.5)
    dots = next(ax for ax in figure.axes if ax.collections and not ax.images and ax.get_xlabel() == "estimate")
    assert len(dots.collections[0].get_offsets()) == 4
    only = _heads(replace(made, exact=np.full((1, 2, 3), np.nan)), True, None)
    assert len([ax for ax in only.axes if ax.images]) == 1


def test_edges_have_words_down_and_layers_across() -> None:
    figure = _edges(edge_effects(2), True, None)
    ax = next(ax for ax in figure.axes if ax.images)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["castle", "hill"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "3"]
    assert ax.images[0].get_clim() == (-1.0, 1.0)
