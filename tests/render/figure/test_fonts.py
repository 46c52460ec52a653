"""Which installed font draws which character."""

import itertools
import warnings
from pathlib import Path

import pytest
from drawn_results import (
    RESULTS,
    result,
)
from fontTools.ttLib import TTCollection, TTFont
from matplotlib.font_manager import findfont, fontManager, get_font

from attnscope.errors import InputError
from attnscope.render import render
from attnscope.render.figure.fonts import _CJK, Fonts, MissingGlyphWarning, _installed


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


def test_a_family_installed_after_that_list_was_written_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    used = next(Fonts(None, "猫").runs("猫"))[1]
    # A collection has a family for each country.
    family = next(name for name in _CJK if name in {e.name for e in fontManager.ttflist if e.fname == used})
    _installed.cache_clear()
    monkeypatch.setattr(fontManager, "ttflist", [entry for entry in fontManager.ttflist if "DejaVu" in entry.name])
    try:
        assert next(Fonts(family, "猫").runs("猫"))[1] == _installed(family)
    finally:
        _installed.cache_clear()


def test_a_family_inside_a_collection_is_drawn_in_its_own_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the first one, which in Noto's collections has the letters of another country."""
    collection = TTCollection()
    for name in ("DejaVu Sans", "DejaVu Serif"):
        face = TTFont(findfont(name))
        for record in face["name"].names:
            record.string = record.toUnicode().replace("DejaVu", "Collected")
        collection.fonts.append(face)
    collection.save(tmp_path / "both.ttc")
    monkeypatch.setattr(fontManager, "ttflist", list(fontManager.ttflist))
    fontManager.addfont(tmp_path / "both.ttc")
    _installed.cache_clear()
    try:
        drawn = {name: next(Fonts(name, "a").runs("a"))[1] for name in ("Collected Sans", "Collected Serif")}
        assert {name: get_font(path).family_name for name, path in drawn.items()} == {name: name for name in drawn}
        first, second = (render(result("a g"), ".svg", font=name) for name in drawn)
        assert first != second
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


def test_a_mark_stays_with_its_letters_font_and_nothing_is_lost() -> None:
    text = "a猫e\u0301 b"
    runs = list(Fonts(None, text).runs(text))
    assert "".join(stretch for stretch, _ in runs) == text
    assert any(stretch.endswith("e\u0301 b") for stretch, _ in runs)
    assert all(path != following for (_, path), (_, following) in itertools.pairwise(runs))
    assert list(Fonts(None, "\ufeff").runs("\ufeff")) == []
