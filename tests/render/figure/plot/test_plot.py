"""Figures of attention maps: hand-made maps, no model."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import matplotlib
import matplotlib.style
import pytest
from drawn_maps import TEXT, maps_of, words_in
from drawn_maps import by_character as made
from drawn_maps import signed_by_character as signed
from drawn_results import RESULTS, per_token
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from attnscope.errors import InputError, RangeError
from attnscope.render import render
from attnscope.render.colours import DARK, LIGHT
from attnscope.render.figure import plot

MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.parametrize("suffix", MAGIC)
@pytest.mark.parametrize("text", ["abc $x^2$ d", "熊本県の天気"])
def test_one_head_many_heads_and_statistics_alone_draw(suffix: str, text: str) -> None:
    whole = made(text)
    alone = replace(whole, codes=None, largest=None)
    for maps in (whole, made(text, 1, 1), alone):
        data = render(maps, suffix)
        assert data.startswith(MAGIC[suffix])
        assert data == render(maps, suffix)
        assert data != render(maps, suffix, dark=True)


def test_nothing_to_draw_says_so() -> None:
    with pytest.raises(InputError, match="nothing to draw"):
        render(replace(made("ab"), codes=None, largest=None, statistics={}), ".png")
    with pytest.raises(RangeError, match="layer 9"):
        plot.heat_map(made("ab"), 9, 0)
    with pytest.raises(InputError, match="kept are: special, first"):
        plot.statistic(made("ab"), "entropy")


@pytest.mark.parametrize(("dark", "colours"), [(False, LIGHT), (True, DARK)])
def test_every_figure_is_on_its_paper(dark: bool, colours: Any) -> None:
    maps = made("abcd")
    drawn = [
        plot.heat_map(maps, 0, 0, dark=dark), plot.lines(maps, 0, 0, dark=dark), plot.grid(maps, dark=dark)[0, 0],
        plot.statistic(maps, "first", dark=dark), plot.statistics(maps, dark=dark)[0],
    ]  # fmt: skip
    for ax in drawn:
        assert to_hex(ax.figure.get_facecolor()) == colours.background
        assert "4 × 4" in words_in(ax) or "5 × 5" in words_in(ax)
        assert "tests/tiny" in words_in(ax)
        assert "“abcd”" in words_in(ax)


def test_the_axes_that_are_given_are_drawn_on_and_come_back() -> None:
    axes = Figure().subplots(1, 3)
    maps = made("abc")
    assert plot.heat_map(maps, 1, 1, ax=axes[0]) is axes[0]
    assert plot.lines(maps, 1, 1, ax=axes[1]) is axes[1]
    assert plot.statistic(maps, "first", ax=axes[2]) is axes[2]


def test_settings_are_neither_touched_nor_followed() -> None:
    maps = made("abc")
    settings: dict[str, Any] = {"text.usetex": True, "font.size": 3, "savefig.bbox": "tight", "axes.grid": True}
    plain = render(maps, ".svg")
    with matplotlib.rc_context(settings):
        before = matplotlib.rcParams.copy()
        assert render(maps, ".svg") == plain
        assert matplotlib.rcParams.copy() == before
    before = matplotlib.rcParams.copy()
    for draw in (plot.heat_map, plot.lines):
        draw(maps, 0, 0)
    plot.grid(maps), plot.statistics(maps), plot.statistic(maps, "first")
    assert matplotlib.rcParams.copy() == before


def test_a_font_is_taken() -> None:
    maps = made("abc")
    serif = render(maps, ".svg", font="DejaVu Serif")
    assert serif != render(maps, ".svg")
    with pytest.raises(InputError, match="neither a font file nor an installed family"):
        render(maps, ".svg", font="No Such Font")


def test_signed_maps_draw() -> None:
    for maps in (signed("abc", 1, 2), signed("熊本県", 1, 1), replace(signed("abc"), codes=None, largest=None)):
        assert render(maps, ".svg") != render(maps, ".svg", dark=True)


@pytest.mark.parametrize(("size", "points"), [((3.25, 2.6), 6), ((6.75, 4.2), 8)])
def test_six_pictures_fit_on_a_column_and_on_a_page_in_the_callers_letters(size: Any, points: float) -> None:
    words = maps_of(TEXT)
    with matplotlib.rc_context({"font.size": points, "font.family": "DejaVu Serif"}):
        figure = Figure(size, layout="constrained")
        axes = figure.subplots(2, 3)
        plot.heat_map(words, 0, 0, ax=axes[0, 0])
        plot.lines(words, 0, 1, ax=axes[0, 1])
        plot.statistic(words, "entropy", ax=axes[0, 2])
        plot.per_token(per_token(RESULTS["english"], 6), ax=axes[1, 0])
        plot.heat_map(words, 1, 1, ax=axes[1, 1], legend=False)
        axes[1, 2].plot([1, 2, 3])
        figure.draw_without_rendering()
        for ax in axes.flat:
            box = ax.get_window_extent()
            assert box.width > 0.12 * figure.bbox.width
            assert box.height > 0.2 * figure.bbox.height
            for axis in (ax.xaxis, ax.yaxis):
                names = [label.get_window_extent() for label in axis.get_ticklabels() if label.get_text()]
                assert len(names) >= 2 or ax is axes[0, 1]
                assert {label.get_fontname() for label in axis.get_ticklabels()} <= {"DejaVu Serif"}
                low, high = ("x0", "x1") if axis is ax.xaxis else ("y0", "y1")
                names.sort(key=lambda one: getattr(one, low))
                assert all(getattr(a, high) <= getattr(b, low) + 0.5 for a, b in pairwise(names))
        assert axes[0, 0].get_title() == "layer 0, head 0"
        assert not axes[1, 1].get_title(loc="left")


def test_a_picture_on_the_callers_axes_has_the_caption_and_legend_that_are_asked_for() -> None:
    maps = made("abc")
    axes = Figure((12, 3)).subplots(1, 3)
    plot.heat_map(maps, 0, 0, ax=axes[0], caption=True, legend=False)
    plot.heat_map(maps, 0, 0, ax=axes[1], caption=False)
    assert "tests/tiny" in axes[0].get_title(loc="left")
    assert axes[1].get_title() == axes[1].get_title(loc="left") == ""
    assert [ax.get_label() for ax in axes[0].figure.axes].count("<colorbar>") == 1


def test_the_callers_style_stays() -> None:
    with matplotlib.rc_context(matplotlib.style.library["dark_background"]):
        ax = Figure().add_subplot()
        spines, face = ax.spines["left"].get_edgecolor(), ax.get_facecolor()
        plot.heat_map(made("abc"), 0, 0, ax=ax)
        assert (ax.spines["left"].get_edgecolor(), ax.get_facecolor()) == (spines, face)
        assert to_hex(ax.images[0].cmap.colors[0]) == DARK.steps[0]
    ax = Figure().add_subplot()
    plot.heat_map(made("abc"), 0, 0, ax=ax, dark=True)
    assert to_hex(ax.get_facecolor()) == DARK.background
