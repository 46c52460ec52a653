"""A figure at the end of a notebook's cell is drawn there, once."""

import matplotlib.pyplot as plt
import pytest
from drawn_maps import maps_of
from drawn_results import RESULTS, per_token
from matplotlib.figure import Figure

import attnscope as ats

PNG = b"\x89PNG\r\n\x1a\n"
MAPS = maps_of("a b c d e f")


@pytest.mark.parametrize(
    "drawn",
    [
        lambda: ats.plot.heat_map(MAPS, 0, 0),
        lambda: ats.plot.lines(MAPS, 0, 0),
        lambda: ats.plot.grid(MAPS),
        lambda: ats.plot.statistics(MAPS),
        lambda: ats.plot.per_token(per_token(RESULTS["english"], 3)),
    ],
)
def test_what_plot_gives_back_draws_itself(drawn) -> None:  # type: ignore[no-untyped-def]
    axes = drawn()
    picture = axes._repr_png_()
    assert picture.startswith(PNG)
    assert len(picture) > 3000
    assert plt.get_fignums() == []


def test_pyplot_draws_the_callers_own_axes_and_nobody_else_does() -> None:
    ax = Figure().add_subplot()
    assert ats.plot.heat_map(MAPS, 0, 0, ax=ax) is ax
    assert not hasattr(ax, "_repr_png_")


def test_one_of_many_panels_is_still_axes() -> None:
    panels = ats.plot.grid(MAPS)
    assert panels[0, 0].get_figure() is panels[-1, -1].get_figure()
    assert panels[0].shape == panels.shape[1:]
