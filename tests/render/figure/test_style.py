"""What all pictures on axes look like."""

import matplotlib
import pytest

from attnscope.render.colours import DARK
from attnscope.render.content.pieces import columns
from attnscope.render.figure.style import Look, drawable, excerpt, number, thinned


@pytest.mark.parametrize(
    ("value", "says"), [(0.1234, "0.12"), (0.0, "0"), (1.0, "1"), (0.0001, "0.0001"), (0.00002, "2e-5")]
)
def test_numbers_have_two_digits(value: float, says: str) -> None:
    assert number(value) == says


def test_names_are_thinned_evenly() -> None:
    assert thinned(0, 5) == []
    assert thinned(5, 5) == [0, 1, 2, 3, 4]
    assert thinned(11, 5) == [0, 3, 6, 9]


@pytest.mark.parametrize("width", [10, 44])
@pytest.mark.parametrize("text", ["short", "one\ntwo\t three", "x" * 500, "猫" * 500, "a \x1b b"])
def test_an_excerpt_is_one_quoted_line_that_fits(text: str, width: int) -> None:
    said = excerpt(text, width)
    assert said.startswith("“")
    assert said.endswith("”")
    assert said.isprintable()
    assert columns(said) <= width
    shown = said.strip("“”")
    assert " ".join("".join(c if c.isprintable() else " " for c in text).split()).startswith(shown.removesuffix("…"))
    assert shown.endswith("…") == (len(text) > width)


def test_what_would_break_an_svg_is_made_visible() -> None:
    assert drawable("a\x1b\nb\ufeff") == "a␛\nb"


def test_a_look_changes_no_font_setting() -> None:
    before = matplotlib.rcParams.copy()
    look = Look("abc", True, None)
    ax = look.axes(None, (3, 2))
    assert look.colours is DARK
    assert matplotlib.colors.to_hex(ax.figure.get_facecolor()) == DARK.background
    assert len(DARK.steps) == look.map().N
    assert matplotlib.rcParams.copy() == before


def test_colours_follow_the_root_of_a_weight() -> None:
    scale = Look("", False, None).scale(0.5, 2)["norm"]
    assert float(scale(0.5)) == 1
    assert float(scale(0.125)) == pytest.approx(0.5)
    assert float(Look("", False, None).scale(0.0, 4)["norm"](0.0)) == 0
