"""The look of all pictures on matplotlib axes: colours, fonts, thin lines, legends with numbers, cells."""

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnscope.render.colours import ColourMap, colours_for
from attnscope.render.figure.to_bytes import need_matplotlib
from attnscope.text.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LABELS = 48
# From this many tokens on, an even share of a row is so small that only a fourth root shows it.
_MANY = 64
ROOTS = {2: "square-root scale", 4: "fourth-root scale"}


class Look:
    """The colours and fonts of one picture.

    letters: the characters that its fonts must have. signed: whether its colours diverge from 0.
    """

    def __init__(self, letters: str, dark: bool, font: Any, signed: bool = False) -> None:
        need_matplotlib()
        from attnscope.render.figure.fonts import Fonts

        self.signed = signed
        self.colours: ColourMap = colours_for(signed, dark)
        self.fonts = Fonts(font, letters)
        self.small: dict[str, Any] = {
            "color": self.colours.muted,
            "fontsize": 8,
            "fontfamily": self.fonts.families()[0],
            "parse_math": False,
        }

    def figure(self, size: tuple[float, float]) -> Any:
        """A figure of this size in inches, which pyplot does not know about."""
        from matplotlib.figure import Figure

        return Figure(figsize=size, facecolor=self.colours.background)

    def axes(self, ax: "Axes | None", size: tuple[float, float]) -> "Axes":
        """The given Axes, else the Axes of a new figure."""
        if ax is None:
            figure = self.figure(size)
            figure.set_layout_engine("constrained")
            ax = figure.add_subplot()
        self.quiet(ax)
        return ax

    def quiet(self, ax: Any) -> None:
        """Thin lines, no ticks."""
        ax.set_facecolor(self.colours.background)
        for spine in ax.spines.values():
            spine.set(edgecolor=self.colours.muted, linewidth=0.4)
        ax.tick_params(colors=self.colours.ink, labelsize=8, length=0, labelfontfamily=self.small["fontfamily"])

    def map(self, colours: ColourMap | None = None) -> Any:
        """The colour map, as matplotlib takes it."""
        from matplotlib.colors import ListedColormap

        return ListedColormap(list((colours or self.colours).steps))

    def scale(self, largest: float, root: int) -> dict[str, Any]:
        """Colours by the root of a weight, from 0 to the largest; of signed weights, as far to either side of 0."""
        from matplotlib.colors import FuncNorm, PowerNorm

        largest = largest or 1.0
        if not self.signed:
            return {"cmap": self.map(), "norm": PowerNorm(1 / root, 0, largest)}
        both_ways = (lambda x: _power(x, 1 / root), lambda x: _power(x, root))
        return {"cmap": self.map(), "norm": FuncNorm(both_ways, -largest, largest)}

    def bar(self, bar: Any, largest: float, root: int, label: str) -> None:
        """A legend with numbers at even steps of colour."""
        largest = largest or 1.0
        steps = (-1.0, -0.5, 0.0, 0.5, 1.0) if self.signed else (0.0, 0.25, 0.5, 0.75, 1.0)
        values = [largest * float(_power(step, root)) for step in steps]
        bar.set_ticks(values, labels=[number(value) for value in values])
        bar.ax.minorticks_off()
        self.quiet_bar(bar)
        bar.set_label(f"{label} ({ROOTS[root]})", **self.small)

    def quiet_bar(self, bar: Any) -> None:
        """A legend without an outline."""
        bar.outline.set_visible(False)
        bar.ax.tick_params(colors=self.colours.muted, labelsize=8, length=2, labelfontfamily=self.small["fontfamily"])

    def over(self, ax: "Axes", caption: Callable[[int], str]) -> None:
        """The caption over an Axes; `caption` returns it in lines of about the given number of characters."""
        width = ax.figure.get_figure(root=True).get_size_inches()[0] * ax.get_position().width
        self.write(ax.set_title(caption(max(44, int(17 * width))), fontsize=8.5, loc="left"), self.colours.ink)

    def wrapped(self, notes: Iterable[str], text: str, width: int) -> str:
        """Notes, each on its own lines, and the beginning of the text."""
        return "\n".join([*(line for note in notes for line in textwrap.wrap(note, width)), excerpt(text, width)])

    def ticks(self, axis: Any, names: Sequence[str]) -> None:
        """Names along an axis, upright below it, thinned where there are many."""
        places = thinned(len(names), _MOST_LABELS)
        axis.set_ticks(places, [names[i] for i in places])
        for label in axis.get_ticklabels():
            self.write(label, self.colours.ink)
            if axis.axis_name == "x":
                label.set_rotation(90)

    def write(self, text: Any, colour: str) -> None:
        """Set a text in a font that has its letters; if it needs several fonts, letter by letter."""
        from matplotlib.font_manager import FontProperties

        text.set_text(drawable(text.get_text()))
        runs = list(self.fonts.runs(text.get_text().replace("\n", " ")))
        size = text.get_fontsize()
        if len({path for _, path in runs}) == 1:
            text.set_fontproperties(FontProperties(fname=runs[0][1], size=size))
        else:
            text.set_fontfamily(self.fonts.families())
        text.set(color=colour, parse_math=False)


def _power(values: Any, power: float) -> Any:
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
    by_size = ", whatever its sign" if signed else ""
    return f"each cell is the largest of {down} × {across} weights{by_size}" if down * across > 1 else ""
