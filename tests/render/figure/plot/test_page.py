"""What a picture of maps says about itself."""

from dataclasses import replace

from drawn_maps import by_character as made
from drawn_maps import words_in

from attnscope.render.figure import plot
from attnscope.results.base import Measured


def test_the_grid_says_what_special_tokens_took() -> None:
    axes = plot.grid(made("abcd"))
    assert axes.shape == (2, 3)
    assert "2 layers (down) × 3 heads (across)" in words_in(axes[0, 0])
    assert "special tokens, left out, took" in words_in(axes[0, 0])


def test_layers_without_attention_weights_are_named_in_the_caption() -> None:
    maps = made("The old castle")
    some = replace(maps, measured=Measured(coverage=(2, 5)))
    said = "2 of 5 layers are shown; the others have no attention weights."
    for ax in (plot.heat_map(some, 0, 0), plot.statistic(some, "first"), plot.lines(some, 0, 0)):
        assert said in ax.figure.get_suptitle().replace("\n", " ")
    assert "layers are shown" not in plot.heat_map(maps, 0, 0).figure.get_suptitle().replace("\n", " ")
