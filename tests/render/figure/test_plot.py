"""Figures of attention maps: hand-made maps, no model."""

import io
from dataclasses import replace
from typing import Any

import matplotlib
import numpy as np
import pytest
from drawn_results import RESULTS, agreement_of, per_token
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from attnscope.errors import InputError, RangeError
from attnscope.render import render
from attnscope.render.colours import DARK, DARK_SIGNED, LIGHT, LIGHT_SIGNED
from attnscope.render.figure import plot
from attnscope.results.attention_maps import AttentionMaps, TextSide, quantise, quantise_signed
from attnscope.results.base import Measured
from attnscope.text.words import TokenSpan, WordSpan

MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def made(text: str, layers: int = 2, heads: int = 3, sink: float = 0.0) -> AttentionMaps:
    """One token a character behind a special one; `sink` of every row goes to the first that is shown."""
    tokens = (TokenSpan("<s>", 0, 0, True), *(TokenSpan(c, i, i + 1, False) for i, c in enumerate(text)))
    words = tuple(WordSpan(i, i + 1, (i + 1,)) for i in range(len(text)))
    count = len(tokens)
    weights = np.random.default_rng(1).dirichlet(np.ones(count), size=(layers, heads, count)).astype(np.float32)
    weights *= 1 - sink
    weights[..., 1] += sink
    codes, largest = quantise(weights)
    statistics = {"special": np.ascontiguousarray(weights[..., 0]), "first": weights[..., 0].mean(-1)}
    side = TextSide(text, tokens, words)
    return AttentionMaps(
        side, side, (*range(layers),), (*range(heads),), (*range(count),), (*range(count),), codes, largest, statistics,
        provenance={"model": "tests/tiny"},
    )  # fmt: skip


def signed(text: str, layers: int = 2, heads: int = 3) -> AttentionMaps:
    """Maps of linear attention: each layer a hundred times smaller than the one before."""
    maps = made(text, layers, heads)
    count = len(maps.keys)
    weights = np.random.default_rng(2).normal(size=(layers, heads, count, count)) * np.tri(count)
    weights *= 0.01 ** np.arange(layers)[:, None, None, None]
    codes, largest = quantise_signed(weights)
    measured = Measured(mechanism="gated delta rule", rebuilt=2e-7)
    return replace(maps, codes=codes, largest=largest, signed=True, measured=measured)


def words_in(ax: Any) -> str:
    return " ".join(t.get_text() for t in ax.figure.get_figure(root=True).findobj(matplotlib.text.Text))


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


def test_the_grid_says_what_special_tokens_took() -> None:
    axes = plot.grid(made("abcd"))
    assert axes.shape == (2, 3)
    assert "2 layers (down) × 3 heads (across)" in words_in(axes[0, 0])
    assert "special tokens, left out, took" in words_in(axes[0, 0])


def test_a_font_is_taken() -> None:
    maps = made("abc")
    serif = render(maps, ".svg", font="DejaVu Serif")
    assert serif != render(maps, ".svg")
    with pytest.raises(InputError, match="neither a font file nor an installed family"):
        render(maps, ".svg", font="No Such Font")


def test_a_dollar_in_a_name_starts_no_mathematics_on_a_users_figure() -> None:
    wrong = r"a $\frac{_$ b"
    found = agreement_of()
    made = per_token(replace(RESULTS["quotes"], method=wrong))
    for ax in (*plot.agreement(replace(found, names=(wrong, "b", "c"))), plot.per_token(made)):
        ax.figure.savefig(io.BytesIO())


def test_layers_without_attention_weights_are_named_in_the_caption() -> None:
    maps = made("The old castle")
    some = replace(maps, measured=Measured(coverage=(2, 5)))
    said = "2 of 5 layers are shown; the others have no attention weights."
    for ax in (plot.heat_map(some, 0, 0), plot.statistic(some, "first"), plot.lines(some, 0, 0)):
        assert said in ax.get_title(loc="left").replace("\n", " ")
    assert "layers are shown" not in plot.heat_map(maps, 0, 0).get_title(loc="left").replace("\n", " ")


def test_signed_maps_draw() -> None:
    for maps in (signed("abc", 1, 2), signed("熊本県", 1, 1), replace(signed("abc"), codes=None, largest=None)):
        assert render(maps, ".svg") != render(maps, ".svg", dark=True)


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
    assert "weight of linear attention (square-root scale)" in said
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


def test_statistics_of_signed_maps_are_shares_in_the_colours_of_shares() -> None:
    ax = plot.statistic(signed("abcd"), "first")
    assert [to_hex(colour) for colour in ax.images[0].cmap.colors] == list(LIGHT.steps)
