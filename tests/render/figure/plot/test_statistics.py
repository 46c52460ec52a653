"""Statistics of heads on axes."""

from drawn_maps import signed_by_character as signed
from matplotlib.colors import to_hex

from attnscope.render.colours import LIGHT
from attnscope.render.figure import plot


def test_statistics_of_signed_maps_are_shares_in_the_colours_of_shares() -> None:
    ax = plot.statistic(signed("abcd"), "first")
    assert [to_hex(colour) for colour in ax.images[0].cmap.colors] == list(LIGHT.steps)
