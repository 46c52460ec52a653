"""A head as a heat map, and all heads as thumbnails."""

from typing import Any

import numpy as np
import pytest
from drawn_maps import by_character as made
from drawn_maps import signed_by_character as signed
from drawn_maps import words_in
from matplotlib.colors import to_hex

from attnscope.render.colours import DARK_SIGNED, LIGHT_SIGNED
from attnscope.render.figure import plot


def test_the_map_has_the_weights_without_special_tokens_and_their_legend() -> None:
    maps = made("abc")
    ax = plot.heat_map(maps, 1, 2)
    image = ax.images[0]
    np.testing.assert_array_equal(image.get_array(), maps.weights(1, 2)[1:, 1:])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b", "c"]
    bar = ax.figure.axes[1]
    ticks = {float(t.get_text()): y for t, y in zip(bar.get_yticklabels(), bar.get_yticks(), strict=True)}
    assert all(abs(shown - y) <= 0.06 * y for shown, y in ticks.items())
    assert len(ticks) == 5
    took = maps.columns()["special"][5]
    assert f"special tokens, left out, took {took:.1%}" in words_in(ax)


def test_a_long_map_keeps_its_hot_cells_and_says_how_it_was_thinned() -> None:
    maps = made("x" * 500, 1, 1)
    assert maps.codes is not None
    maps.codes[0, 0, 333, 77] = 255
    ax = plot.heat_map(maps, 0, 0, dark=True)
    cells = np.asarray(ax.images[0].get_array())
    assert cells.shape == (167, 167)
    assert cells[332 // 3, 76 // 3] == maps.weights(0, 0)[333, 77]
    assert "each cell is the largest of 3 × 3 weights" in words_in(ax)
    assert "fourth-root scale" in words_in(ax)
    # An even share of a row can be told from nothing, on dark paper too.
    assert ax.images[0].norm(1 / 500) > 0.2


@pytest.mark.parametrize(("dark", "colours"), [(False, LIGHT_SIGNED), (True, DARK_SIGNED)])
def test_signed_weights_have_colours_about_0_and_say_what_they_are(dark: bool, colours: Any) -> None:
    maps = signed("abcd")
    ax = plot.heat_map(maps, 1, 2, dark=dark)
    weights = maps.weights(1, 2)[1:, 1:]
    np.testing.assert_array_equal(ax.images[0].get_array(), weights)
    size = float(np.abs(weights).max())
    norm, drawn = ax.images[0].norm, ax.images[0].cmap
    np.testing.assert_allclose(norm(np.array([-1, -0.25, 0, 0.25, 1]) * size), [0, 0.25, 0.5, 0.75, 1], atol=1e-6)
    for weight, scaled in ((-size, 0.0), (0.0, 0.5), (size, 1.0)):
        assert to_hex(drawn(norm(weight))) == colours.colour(scaled)
    bar = ax.figure.axes[1]
    ticks = [float(label.get_text()) for label in bar.get_yticklabels()]
    np.testing.assert_allclose(ticks, np.array([-1, -0.25, 0, 0.25, 1]) * size, rtol=0.06)
    np.testing.assert_allclose(ticks, bar.get_yticks(), rtol=0.06)
    said = words_in(ax)
    assert "Linear attention (gated delta rule), unrolled: the weights are signed" in " ".join(said.split())
    assert "weight of linear attention (square-root scale)" in " ".join(said.split())
    took = maps.columns()["special"][5]
    assert f"special tokens, left out, had {took:.1%} of the weights’ sizes" in said


def test_each_layer_of_signed_maps_has_its_own_scale() -> None:
    maps = signed("abcdefg")
    axes = plot.grid(maps)
    for i, layer in enumerate(maps.layers):
        size = max(float(np.abs(maps.weights(layer, head)[1:, 1:]).max()) for head in maps.heads)
        for ax in axes[i]:
            assert (ax.images[0].norm.vmin, ax.images[0].norm.vmax) == pytest.approx((-size, size))
        name, written = axes[i, 0].get_ylabel().split("\n±")
        assert name == str(layer)
        assert float(written) == pytest.approx(size, rel=0.06)
    assert "of the layer’s largest weight" in words_in(axes[0, 0])


def test_a_long_signed_map_keeps_its_strongest_cells_with_their_signs() -> None:
    maps = signed("x" * 500, 1, 1)
    assert maps.codes is not None
    maps.codes[0, 0, 300:310, 70:80] = 5
    maps.codes[0, 0, 304, 77] = -127
    ax = plot.heat_map(maps, 0, 0)
    cells = np.asarray(ax.images[0].get_array())
    assert cells[303 // 3, 76 // 3] == maps.weights(0, 0)[304, 77] < 0
    assert "each cell is the largest of 3 × 3 weights, whatever its sign" in " ".join(words_in(ax).split())
