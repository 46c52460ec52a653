"""What all pictures on axes write and draw: numbers, names, cells that stand for many weights."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnscope.text.visible import visible
from attnscope.translation import say

# From this many tokens on, an even share of a row is so small that only a fourth root shows it.
_MANY = 64


def power(values: Any, power: float) -> Any:
    """Of each value's size; the sign stays."""
    return np.sign(values) * np.abs(values) ** power


def drawable(text: str) -> str:
    """A text that matplotlib can lay out: characters that would break an svg are made visible."""
    # Shaping swallows a byte order mark, and the pdf then looks for its glyph in vain.
    return visible(text, keep="\n").replace("\ufeff", "")


def number(value: float) -> str:
    """Two digits, without an exponent down to a ten-thousandth."""
    return f"{value:.2g}" if not 0 < abs(value) < 1e-4 else f"{value:.0e}".replace("e-0", "e-")


def thinned(count: int, most: int) -> list[int]:
    """Evenly spaced places out of `count`, at most `most` of them."""
    return list(range(0, count, math.ceil(count / most))) if count else []


def excerpt(text: str, width: int) -> str:
    """The beginning of a text on one line, quoted."""
    from attnscope.render.content.pieces import columns

    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * width]).split())
    short = line
    while columns(short) > width - 3:
        short = short[:-1]
    return f"“{short}{'…' if short != line or len(text) > 4 * width else ''}”"


def root_of(weights: NDArray[np.float32], signed: bool) -> int:
    """The root that colours follow. Signed weights are no shares: they do not get smaller with the text's length."""
    return 4 if weights.shape[1] >= _MANY and not signed else 2


def size_of(weights: NDArray[np.float32]) -> float:
    """The largest, without its sign."""
    return float(np.abs(weights).max(initial=0))


def pooled(weights: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """Of each block of tokens the largest weight, by size, with its sign; at most `most` blocks along an axis.

    >>> pooled(np.array([[0.25, -0.5, 0.125, 0.0]], dtype=np.float32), 2).tolist()
    [[-0.5, 0.125]]
    """
    for axis in (0, 1):
        step = math.ceil(weights.shape[axis] / most)
        starts = np.arange(0, weights.shape[axis], step)
        high, low = (extreme.reduceat(weights, starts, axis=axis) for extreme in (np.maximum, np.minimum))
        weights = np.where(high >= -low, high, low)
    return weights


def blocks(weights: NDArray[np.float32], cells: NDArray[np.float32], signed: bool) -> str:
    """What a cell shows, where it stands for more than one weight."""
    down, across = (math.ceil(n / m) for n, m in zip(weights.shape, cells.shape, strict=True))
    if down * across == 1:
        return ""
    if signed:
        return say("each cell is the largest of {down} × {across} weights, whatever its sign", down=down, across=across)
    return say("each cell is the largest of {down} × {across} weights", down=down, across=across)
