"""What is shown beside other texts moves no cursor and turns no direction."""

import unicodedata

import pytest

from attnscope.text.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"), ("é 本", "é 本"), ("a\tb\n", "a␉b␊"), ("\0\x1b\x7f", "␀␛␡"), ("\x9b31m", "\\u009b31m"),
        ("\u202eover", "\\u202eover"), ("a\u2028b", "a\\u2028b"), ("half\ud800", "half\\ud800"), ("\ufffe", "\\ufffe"),
        ("\U0001ffff", "\\u1ffff"), ("\ufdd0", "\\ufdd0"),
    ],
)  # fmt: skip
def test_it_is_seen_and_does_nothing(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown


def test_nothing_is_left_that_acts() -> None:
    every = "".join(map(chr, range(0x11000)))
    assert not {unicodedata.category(c) for c in visible(every)} & {"Cc", "Cs", "Zl", "Zp"}
    assert visible("a\nb\x1b", keep="\n") == "a\nb␛"
