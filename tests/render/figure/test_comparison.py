"""The figure of a comparison."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from drawn_results import ARABIC, ENGLISH, JAPANESE, SEGMENTS, comparison

from attnscope.render import render
from attnscope.render.figure.comparison import _VERDICTS

HOSTILE = "</script><script>alert(1)</script> & <b>x</b> $100 _under_ 50% #1 ~^{}\\ \u202eabc"


PAIRS = {
    "english": comparison(ENGLISH, ENGLISH.replace("castle", "castel").replace("river, and", "river"), attack="typo"),
    "japanese": comparison(JAPANESE, JAPANESE.replace("猫", "犬"), SEGMENTS),
    "arabic": comparison(ARABIC, ARABIC.replace("كان", "كانت")),
    "hostile": comparison(HOSTILE, HOSTILE.replace("100", "200"), attack="<i>", task="'\"&"),
    "equal": comparison("a b c", "a b c"),
}


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
@pytest.mark.parametrize("name", ["hostile", "japanese", "equal"])
def test_every_pair_is_drawn_twice_the_same(suffix: str, name: str) -> None:
    once, again = (render(PAIRS[name], suffix) for _ in range(2))
    assert once == again
    assert len(once) > 100


@pytest.mark.parametrize("dark", [False, True])
def test_right_and_wrong_have_their_colours(dark: bool) -> None:
    right, wrong = _VERDICTS[dark]["right"].encode(), _VERDICTS[dark]["wrong"].encode()
    drawn = render(comparison(), ".svg", dark=dark)
    assert right in drawn
    assert wrong in drawn
    unknown = render(replace(comparison(), expected=None), ".svg", dark=dark)
    assert right not in unknown
    assert wrong not in unknown


def test_a_line_is_no_wider_than_asked() -> None:
    def width(characters: int) -> float:
        image = ElementTree.fromstring(render(PAIRS["english"], ".svg", max_line_chars=characters))
        return float(image.attrib["width"].removesuffix("pt"))

    assert width(40) < width(120)
