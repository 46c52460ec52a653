"""What all pictures on axes look like: in a file the house's letters, on the caller's axes the caller's."""

from typing import Any

import matplotlib
import matplotlib.style
import pytest
from matplotlib.figure import Figure

from attnscope.render.colours import DARK
from attnscope.render.figure.look import Look, points


def test_a_look_changes_no_font_setting() -> None:
    before = matplotlib.rcParams.copy()
    look = Look("abc", True, None)
    ax = look.axes((3, 2))
    assert look.colours is DARK
    assert matplotlib.colors.to_hex(ax.figure.get_facecolor()) == DARK.background
    assert len(DARK.steps) == look.map().N
    assert matplotlib.rcParams.copy() == before


def test_colours_follow_the_root_of_a_weight() -> None:
    scale = Look("", False, None).scale(0.5, 2)["norm"]
    assert float(scale(0.5)) == 1
    assert float(scale(0.125)) == pytest.approx(0.5)
    assert float(Look("", False, None).scale(0.0, 4)["norm"](0.0)) == 0


def test_words_along_an_axis_are_thinned_to_those_that_have_room_whenever_it_is_drawn() -> None:
    figure = Figure((3, 3))
    ax = figure.add_subplot()
    look = Look("abc", ax=ax)
    ax.set(xlim=(-0.5, 199.5), ylim=(-0.5, 199.5))
    for axis in (ax.xaxis, ax.yaxis):
        look.ticks(axis, [f"word{i}" for i in range(200)])
    few = [label.get_text() for label in ax.get_yticklabels()]
    assert 5 < len(few) < 20
    figure.set_size_inches(3, 12)
    many = [label.get_text() for label in ax.get_yticklabels()]
    assert len(many) > 2 * len(few)
    assert many[0] == "word0"
    ax.set_ylim(99.5, 104.5)
    assert [label.get_text() for label in ax.get_yticklabels()] == [f"word{i}" for i in range(100, 105)]
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {90}


def test_numbers_stand_level_and_long_names_are_cut() -> None:
    ax = Figure((3, 3)).add_subplot()
    look = Look("0123456789…", ax=ax)
    look.ticks(ax.xaxis, list(map(str, range(3))))
    look.ticks(ax.yaxis, ["9" * 80, "b"])
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {0}
    assert ax.yaxis.get_major_formatter()(0).endswith("9…")


@pytest.mark.parametrize("name", ["a $x$ b", "$5 and $6", "100% of _x_ & {y}", "back\\slash"])
def test_words_are_no_formulas_whatever_the_settings(name: str) -> None:
    with matplotlib.rc_context({"text.parse_math": True, "text.usetex": True}):
        ax = Figure((9, 3)).add_subplot()
        look = Look(name, ax=ax)
        ax.set(ylim=(-0.5, 0.5), xticks=[])
        look.ticks(ax.yaxis, [name])
        look.caption(ax, name, ())
        for text in (*ax.get_yticklabels(), ax.title):
            assert (text.get_text(), text.get_usetex(), text.get_parse_math()) == (name, False, False)


def test_letters_are_as_large_and_of_the_family_that_the_settings_say() -> None:
    settings: dict[str, Any] = {"font.size": 6, "font.family": "DejaVu Serif", "ytick.labelsize": "small"}
    with matplotlib.rc_context(settings):
        ax = Figure((3, 3)).add_subplot()
        look = Look("abc", ax=ax)
        ax.set(ylim=(-0.5, 0.5))
        look.ticks(ax.yaxis, ["abc"])
        look.label(ax.xaxis, "abc")
        look.caption(ax, "abc", ())
        assert points("font.size") == 6
        assert look.size == 6
        assert ax.title.get_fontsize() == pytest.approx(7.2)
        for text in (ax.xaxis.label, ax.title, *ax.get_yticklabels()):
            assert text.get_fontname() == "DejaVu Serif"


def test_a_script_that_the_settings_font_lacks_is_drawn_in_one_that_has_it() -> None:
    with matplotlib.rc_context({"font.family": "DejaVu Serif"}):
        look = Look("a猫")
        assert look.fonts.families()[0] == "DejaVu Serif"
        assert len({path for _, path in look.fonts.runs("a猫")}) == 2


def test_colours_of_text_are_those_of_the_callers_axes() -> None:
    with matplotlib.rc_context(matplotlib.style.library["dark_background"]):
        ax = Figure(facecolor="black").add_subplot()
        look = Look("a", ax=ax)
        assert look.dark
        assert (look.colours.ink, look.colours.background) == ("#ffffff", "#000000")
        assert look.colours.steps == DARK.steps
    assert not Look("a", ax=Figure().add_subplot()).dark
