import io
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from drawn_results import ARABIC, ENGLISH, RESULTS, attention, long_result, result
from matplotlib.colors import to_rgb
from matplotlib.font_manager import findfont, fontManager
from matplotlib.image import imread
from numpy.typing import NDArray

from attnscope.errors import InputError, MissingExtraError
from attnscope.render import render
from attnscope.render.colours import DARK, LIGHT
from attnscope.render.content.line_breaking import lines
from attnscope.render.content.pieces import columns
from attnscope.render.figure.fonts import Fonts, MissingGlyphWarning, _installed


def _pixels(data: bytes) -> NDArray[np.float32]:
    image: NDArray[np.float32] = imread(io.BytesIO(data), format="png")
    return image[..., :3]


def _shows(image: NDArray[np.float32], colour: str) -> bool:
    return bool((np.abs(image - np.array(to_rgb(colour))).max(axis=-1) < 0.004).any())


@pytest.mark.parametrize(("dark", "colours"), [(False, LIGHT), (True, DARK)])
def test_the_page_and_the_highest_word_have_their_colours(dark: bool, colours: Any) -> None:
    image = _pixels(render(RESULTS["english"], ".png", dark=dark))
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert np.allclose(border, to_rgb(colours.background), atol=0.004)
    assert _shows(image, colours.steps[-1])


def test_scale_is_pixels_per_point() -> None:
    small, large = (_pixels(render(RESULTS["english"], ".png", scale=s)) for s in (1, 3))
    assert large.shape[0] == pytest.approx(3 * small.shape[0], abs=3)
    assert large.shape[1] == pytest.approx(3 * small.shape[1], abs=3)
    with pytest.raises(InputError, match="scale=0"):
        render(RESULTS["english"], ".png", scale=0)


def test_the_picture_is_tight() -> None:
    image = _pixels(render(RESULTS["english"], ".png", font_size=10, scale=2))
    drawn = np.argwhere((image < 0.99).any(axis=-1))
    margins = [*drawn.min(axis=0), *(np.array(image.shape[:2]) - drawn.max(axis=0))]
    assert min(margins) >= 10
    assert max(margins) <= 50


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


def test_a_text_too_long_for_one_picture_is_refused() -> None:
    for suffix in (".png", ".svg", ".pdf"):
        with pytest.raises(InputError, match=r"too many for one picture: save it as \.html"):
            render(long_result(), suffix)


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


def test_font_as_file_and_as_family_are_the_same() -> None:
    plain = render(RESULTS["quotes"], ".svg")
    file = render(RESULTS["quotes"], ".svg", font=findfont("DejaVu Serif"))
    assert file == render(RESULTS["quotes"], ".svg", font="dejavu serif")
    assert file == render(RESULTS["quotes"], ".svg", font=Path(findfont("DejaVu Serif")))
    assert file != plain


def test_an_unusable_font_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    for font, says in (
        (str(tmp_path / "none.ttf"), "no such file"),
        (str(broken), "not a font that can be read"),
        ("DejaVu Serf", "neither a font file nor an installed family; the nearest installed are .*DejaVu Serif"),
    ):
        with pytest.raises(InputError, match=says):
            render(RESULTS["quotes"], ".png", font=font)


def _japanese(path: str) -> bool:
    return "CJK" in path or "gothic" in path.lower()


def test_japanese_is_drawn_without_a_word_of_warning() -> None:
    assert all(_japanese(path) for _, path in Fonts(None, "猫").runs("猫")), "the tests need a Japanese font: make test"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        render(RESULTS["japanese"], ".png")
        render(RESULTS["japanese"], ".png", font="DejaVu Sans")


def test_a_font_installed_after_matplotlib_wrote_its_list_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    known = list(Fonts(None, "a 猫").runs("a猫"))
    latin = [entry for entry in fontManager.ttflist if "DejaVu" in entry.name]
    _installed.cache_clear()
    monkeypatch.setattr(fontManager, "ttflist", latin)
    try:
        fonts = Fonts(None, "a 猫")
        assert list(fonts.runs("a猫")) == known
        assert len(fonts.families()) > 1
    finally:
        _installed.cache_clear()


def test_missing_glyphs_are_one_warning_that_names_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attnscope.render.figure.fonts._installed", lambda _: findfont("DejaVu Sans"))
    monkeypatch.setattr("attnscope.render.figure.fonts._any_with", lambda _: [])
    monkeypatch.setattr("attnscope.render.figure.fonts.findSystemFonts", lambda: [])
    with pytest.warns(MissingGlyphWarning) as caught:
        render(result("a 猫 猫 犬"), ".png")
    assert len(caught) == 1
    message = str(caught[0].message)
    for part in ("犬", "猫", "fonts-noto-cjk", "fonts-ipaexfont-gothic", "font="):
        assert part in message


def test_dollars_are_dollars() -> None:
    assert render(result("$x^2$", [1.0]), ".svg") != render(result("x2", [1.0]), ".svg")
    assert render(result("$\\broken{", [1.0]), ".png")


def _texts(text: str, width: int, pattern: str = r"\w+|[^\w\s]") -> list[str]:
    return [line.text for line in lines(result(text, pattern=pattern), width)]


def test_lines_break_between_words_and_at_the_sources_breaks() -> None:
    assert _texts("one two, three\nfour", 9) == ["one two,", "three", "four"]
    assert _texts("a\r\nb\rc\u2028d\n\ne", 9, "[a-z]") == ["a", "b", "c", "d", "", "e"]
    assert _texts("  indented text", 10) == ["  indented", "text"]


def test_a_long_word_is_broken_anywhere() -> None:
    assert _texts("ab " + "x" * 25, 10) == ["ab", "x" * 10, "x" * 10, "x" * 5]
    assert _texts("語" * 12, 10) == ["語" * 5, "語" * 5, "語" * 2]


def test_east_asian_characters_count_double_and_punctuation_never_leads() -> None:
    assert _texts("吾輩は猫。犬", 8, "吾輩|は|猫|。|犬") == ["吾輩は", "猫。犬"]


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("width", [2, 7, 40])
def test_no_line_is_too_wide_and_no_character_is_lost(name: str, width: int) -> None:
    made = lines(RESULTS[name], width)
    assert all(columns(line.text) <= width or not line.text.strip() for line in made)
    drawn = {run.word for line in made for run in line.runs} - {None}
    blank = {i for i, w in enumerate(RESULTS[name].words) if w.text.startswith("<|")}
    assert drawn == set(range(len(RESULTS[name].words))) - blank


def test_right_to_left_lays_words_from_the_right() -> None:
    (line,) = lines(result("אב גד (12) xy zw הו", pattern=r"\w+"), 80)
    assert line.right_to_left
    assert line.text == "הו xy zw (12) גד אב"
    (line,) = lines(result("xy אב גד zw", pattern=r"\w+"), 80)
    assert not line.right_to_left
    assert line.text == "xy גד אב zw"
    assert all(line.right_to_left for line in lines(result(ARABIC), 30))
    (line,) = lines(result("xy אב 1,923 גד 50% zw", pattern=r"\S+"), 80)
    assert line.text == "xy 50% גד 1,923 אב zw"


def test_the_query_is_outlined() -> None:
    asked = render(attention(ENGLISH, 2), ".png")
    assert _shows(_pixels(asked), "#0b57a4")
    assert not _shows(_pixels(render(result(ENGLISH), ".png")), "#0b57a4")
