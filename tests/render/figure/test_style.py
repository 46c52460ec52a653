"""What all pictures on axes look like."""

import numpy as np
import pytest

from attnscope.render.content.pieces import columns
from attnscope.render.figure.style import blocks, drawable, excerpt, number, pooled, root_of, size_of, thinned


@pytest.mark.parametrize(
    ("value", "says"),
    [(0.1234, "0.12"), (0.0, "0"), (1.0, "1"), (0.0001, "0.0001"), (0.00002, "2e-5"), (-0.00002, "-2e-5")],
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


WEIGHTS = np.random.default_rng(0).normal(size=(7, 10)).astype(np.float32)


@pytest.mark.parametrize("most", [1, 3, 7, 20])
def test_a_cell_is_the_largest_weight_of_its_block_with_its_sign(most: int) -> None:
    cells = pooled(WEIGHTS, most)
    down, across = -(-7 // most), -(-10 // most)
    for (i, j), cell in np.ndenumerate(cells):
        block = WEIGHTS[i * down : (i + 1) * down, j * across : (j + 1) * across].ravel()
        assert cell == block[np.abs(block).argmax()]
    assert max(cells.shape) <= most
    assert size_of(cells) == np.abs(WEIGHTS).max()


def test_it_says_where_a_cell_is_of_several() -> None:
    assert blocks(WEIGHTS, pooled(WEIGHTS, 20), signed=True) == ""
    assert blocks(WEIGHTS, pooled(WEIGHTS, 5), signed=False) == "each cell is the largest of 2 × 2 weights"
    assert blocks(WEIGHTS, pooled(WEIGHTS, 5), signed=True).endswith(", whatever its sign")


def test_only_shares_get_smaller_with_the_text() -> None:
    long = np.zeros((2, 64), dtype=np.float32)
    assert [root_of(long, signed) for signed in (False, True)] == [4, 2]
    assert root_of(WEIGHTS, signed=False) == 2
