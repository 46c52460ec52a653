"""A figure as the bytes of a file: the same each time, and nothing global is touched."""

import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from drawn_maps import maps_of
from drawn_results import EVERY, RESULTS
from matplotlib.figure import Figure
from matplotlib.text import Text

from attnscope.errors import InputError, MissingExtraError
from attnscope.render import render
from attnscope.render.figure import plot
from attnscope.render.figure.fonts import Fonts, MissingGlyphWarning
from attnscope.render.figure.to_bytes import file_of
from attnscope.translation import speaking


@pytest.mark.parametrize("suffix", [".svg", ".pdf"])
def test_no_dates(suffix: str) -> None:
    data = render(RESULTS["english"], suffix)
    assert b"CreationDate" not in data
    assert b"<dc:date>" not in data


def test_nothing_global_is_touched() -> None:
    settings: dict[str, Any] = {"text.usetex": True, "font.size": 3, "savefig.bbox": "tight", "axes.grid": True}
    with matplotlib.rc_context(settings):
        before = matplotlib.rcParams.copy()
        styled = render(RESULTS["english"], ".svg")
        assert matplotlib.rcParams.copy() == before
    assert styled == render(RESULTS["english"], ".svg")


def test_pyplot_is_never_imported(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from attnscope.results.attribution import Attribution\n"
        "from attnscope.render import render\n"
        "for suffix in ('.png', '.svg', '.pdf'): render(Attribution('m', 'gradient', 'a', (), ()), suffix)\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_matplotlib_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from attnscope.results.attribution import Attribution\n"
        "from attnscope.errors import MissingExtraError\n"
        "from attnscope.render import render\n"
        "try: render(Attribution('m', 'gradient', '', (), ()), '.png')\n"
        "except MissingExtraError as error: sys.exit(str(error))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'attnscope[figures]'" in done.stderr
    assert issubclass(MissingExtraError, RuntimeError)


@pytest.mark.parametrize(("form", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF-")])
def test_the_same_figure_gives_the_same_bytes(form: str, begins: bytes) -> None:
    def draw() -> Figure:
        figure = Figure((2, 1))
        figure.text(0.1, 0.5, "costs $5 and $6")
        return figure

    once = file_of(draw, form)
    assert once.startswith(begins)
    assert file_of(draw, form) == once


@pytest.mark.parametrize("scale", [0, -1, float("nan")])
def test_a_scale_is_above_zero(scale: float) -> None:
    with pytest.raises(InputError, match="expected pixels per point above 0"):
        file_of(lambda: pytest.fail("it was drawn"), "png", scale)


# What is the same in every language: names of methods and models, the results' own words, numbers with their units.
_OWN = re.compile(
    r"castle on the hill|Who built the castle|It is on a hill|Aldo built the castle|(pool|norm|baseline) \w+"
)


@pytest.mark.parametrize("name", EVERY)
def test_what_a_figure_says_itself_is_japanese_with_lang(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def kept(figure: Figure, *_: object, **_how: object) -> None:
        shown.extend(text.get_text() for text in figure.findobj(Text))

    monkeypatch.setattr(Figure, "savefig", kept)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingGlyphWarning)  # fonts are the machine's
        render(EVERY[name], ".png", lang="ja")
    words = _OWN.sub("", "\n".join(shown))
    assert not re.findall(r"[A-Za-z]{2,} [A-Za-z]{2,}", words)
    assert re.search("[ぁ-んァ-ヶ一-龯]", words)
    shown.clear()
    render(EVERY[name], ".png")
    assert not re.search("[ぁ-んァ-ヶ]", "\n".join(shown))


def test_a_picture_on_axes_of_ones_own_speaks_too() -> None:
    ax = plot.heat_map(maps_of("a b c"), 0, 0, lang="ja")
    assert [ax.get_xlabel(), ax.get_ylabel()] == ["キー", "クエリ"]
    assert plot.heat_map(maps_of("a b c"), 0, 0).get_xlabel() == "key"
    with pytest.raises(InputError, match="expected one of en, ja"):
        plot.heat_map(maps_of("a b c"), 0, 0, lang="tlh")
    with pytest.raises(InputError, match="expected one of en, ja"):
        render(EVERY["attribution"], ".png", lang="tlh")


def test_letters_of_a_japanese_figure_come_from_a_font_that_has_them() -> None:
    with speaking("ja"), warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingGlyphWarning)
        fonts = Fonts(None, "abc")
    runs = list(fonts.runs("層ヘッド"))
    if not any("\u25a1" in text for text, _ in runs):  # some font of the machine has Japanese
        assert len({path for _, path in runs}) == 1
