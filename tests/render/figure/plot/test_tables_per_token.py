"""The figure of a per-token result: a matrix of target tokens and words."""

from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from drawn_results import JAPANESE, RESULTS, SEGMENTS, per_byte, per_token, result
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from attnscope.errors import InputError
from attnscope.render import render
from attnscope.render.colours import DARK, LIGHT
from attnscope.render.figure import plot
from attnscope.results.per_token import PerToken

MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.filterwarnings("ignore::attnscope.render.figure.fonts.MissingGlyphWarning")
@pytest.mark.parametrize("suffix", MAGIC)
@pytest.mark.parametrize("name", ["english", "script", "emoji", "controls", "spaces", "markup", "newline words"])
def test_hostile_texts(suffix: str, name: str) -> None:
    made = per_token(RESULTS[name], 2)
    once = render(made, suffix)
    assert once.startswith(MAGIC[suffix])
    assert once == render(made, suffix)


@pytest.mark.parametrize("signed", [False, True])
def test_the_matrix_has_the_scores_and_blanks_what_was_not_read(signed: bool) -> None:
    made = per_token(RESULTS["english"], 8, signed)
    ax = Figure().add_subplot()
    assert plot.per_token(made, ax=ax) is ax
    cells = ax.images[0].get_array()
    assert cells is not None
    read = np.stack([made.read_words(i) for i in range(8)])
    assert np.array_equal(np.ma.getmaskarray(cells), ~read)
    assert np.array_equal(cells.data[read], made.scores[read])
    low, high = ax.images[0].get_clim()
    assert high == np.abs(made.scores[read]).max()
    assert low == (-high if signed else 0)
    assert [label.get_text() for label in ax.get_yticklabels()] == [t.text for t in made.targets]


@pytest.mark.parametrize(("dark", "colours"), [(False, LIGHT), (True, DARK)])
def test_it_is_on_its_paper_and_says_how_it_was_made(dark: bool, colours: object) -> None:
    ax = plot.per_token(per_token(result(JAPANESE, pattern=SEGMENTS), 4, signed=True), dark=dark)
    figure = ax.figure.get_figure(root=True)
    assert figure is not None
    assert to_hex(figure.get_facecolor()) == getattr(colours, "background").lower()  # noqa: B009
    said = " ".join(t.get_text() for t in figure.findobj(matplotlib.text.Text))
    for fact in ("tests/tiny", "log-probability", "4 target tokens ×", "gradient score", "0.25", "0.125"):
        assert fact in said


def test_a_long_text_keeps_its_strongest_words() -> None:
    made = per_token(result(" ".join(f"w{i}" for i in range(5000))), 8, signed=True)
    scores = made.scores.copy()
    scores[3, 1234] = -50.0
    ax = plot.per_token(PerToken(made.first, made.targets, made.token_scores, scores))
    cells = ax.images[0].get_array()
    assert cells is not None
    assert cells.shape[1] <= 240
    assert cells.min() == -50.0
    assert "the strongest of 21 words" in ax.figure.get_suptitle()
    assert len(ax.get_xticks()) <= 48


def test_nothing_to_draw_says_so() -> None:
    made = per_token(RESULTS["english"], 2)
    bare = replace(made.first, words=())
    with pytest.raises(InputError, match="nothing to draw"):
        plot.per_token(PerToken(bare, made.targets, made.token_scores, np.zeros((2, 0))))


@pytest.mark.filterwarnings("ignore::attnscope.render.figure.fonts.MissingGlyphWarning")
def test_tokens_that_share_a_character_are_one_row() -> None:
    for made, rows in ((per_byte(), ["東", "京", "。"]), (per_byte().by_word(), ["東京", "。"])):
        ax = plot.per_token(made)
        assert [label.get_text() for label in ax.get_yticklabels()] == rows
        assert "own earlier tokens" in ax.figure.get_suptitle().replace("\n", " ")
