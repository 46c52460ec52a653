"""Cells of drawn maps."""

import numpy as np
import pytest

from attnscope.render.figure.cells import blocks, pooled, root_of, size_of

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
