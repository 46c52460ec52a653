"""The look of all pictures on matplotlib axes: colours, letters, legends with numbers, words along an axis.

Letters are as large as matplotlib's settings say: the house's in files (`paper.settings`), the caller's on a figure or
axes of theirs, where colours of text and the first choice of fonts are the caller's too.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from attnscope.render.colours import ColourMap, colours_for, luminance
from attnscope.render.figure.paper import paper
from attnscope.render.figure.style import drawable, number, power, thinned
from attnscope.render.figure.to_bytes import need_matplotlib
from attnscope.translation import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROOTS = {2: "square-root scale", 4: "fourth-root scale"}
_ASIDE = 4.0  # points between a caption and the edge of the figure
# Names along an axis: each needs so many of its heights, and may take such a share of the picture, or so many heights.
_APART, _SHARE, _AT_LEAST = 1.25, 0.35, 4.0
# Axes of the caller's that are narrower than so many letters' heights have no room for more than a title and words.
_NARROW = 12


class Look:
    """The colours and fonts of one picture.

    letters: the characters that its fonts must have. signed: whether its colours diverge from 0. dark: None is as the
    axes, or the caller's settings, are. ax: the caller's Axes. caption: None is the whole caption on a figure of its
    own, and a short title on axes of the caller's.
    """

    def __init__(
        self,
        letters: str,
        dark: bool | None = None,
        font: Any = None,
        signed: bool = False,
        *,
        ax: "Axes | None" = None,
        caption: bool | None = None,
        legend: bool = True,
    ) -> None:
        need_matplotlib()
        from attnscope.render.figure.fonts import Fonts

        self.signed = signed
        self.given = ax
        self.captioned = caption if not paper().form else paper().caption
        self.has_legend = legend and paper().legend
        background = None if paper().form else _background(ax)
        self.dark = luminance(background) < 0.2 if dark is None and background else bool(dark)
        self.colours: ColourMap = colours_for(signed, self.dark)
        self.painted = ax is None or dark is not None
        if not self.painted and background:
            ink, muted = _inks()
            self.colours = replace(self.colours, background=background, ink=ink, muted=muted)
        self.fonts = Fonts(font, letters, () if paper().form else _families())
        self.size, self.tick_size = points("axes.labelsize"), points("xtick.labelsize")
        self.is_narrow = ax is not None and 72 * _inches_of(ax)[0] < _NARROW * self.size
        # The height of a row of words, in inches.
        self.row = 1.8 * self.tick_size / 72
        self.small: dict[str, Any] = {
            "color": self.colours.muted,
            "fontsize": self.size,
            "fontfamily": self._plain_family(),
            "parse_math": False,
            "usetex": False,
        }

    def _plain_family(self) -> str:
        """The first family for numbers; those with PostScript outlines are for letters that others lack."""
        names = self.fonts.families()
        return next((name for name in names if not self.fonts.is_postscript(name)), names[0])

    def figure(self, size: tuple[float, float], constrained: bool = True) -> "Figure":
        """A figure of this size in inches, or of the size that was asked for, which pyplot does not know about."""
        from matplotlib.figure import Figure

        wide, high = size
        asked = paper()
        figure = Figure(figsize=(asked.width or wide, asked.height or high), facecolor=self.colours.background)
        if constrained:
            figure.set_layout_engine("constrained")
        return figure

    def axes(self, size: tuple[float, float]) -> "Axes":
        """The caller's Axes, else the Axes of a new figure."""
        from attnscope.render.figure.plot.in_cell import own_axes

        ax = self.given if self.given is not None else self.figure(size).add_subplot(axes_class=own_axes())
        self.quiet(ax)
        return ax

    def panels(
        self,
        count: int,
        wide: float,
        high: float,
        above: float = 0.5,
        most: int | None = None,
        rows_of_words: bool = False,
    ) -> "tuple[Figure, list[Any]]":
        """A figure with so many Axes of this size in inches, at most `most` in a row, fewer where the paper is narrow.

        above: inches for what stands over them. rows_of_words: a narrow panel is as high as a wide one.
        """
        columns = paper().columns(min(count, most or count), wide)
        if not rows_of_words:
            high *= min(1.0, (paper().width or math.inf) / (columns * wide))
        rows = -(-count // columns)
        figure = self.figure((columns * wide, rows * high + above))
        places = list(figure.subplots(rows, columns, squeeze=False).ravel()) if count else []
        for ax in places[count:]:
            ax.remove()
        for ax in places[:count]:
            self.quiet(ax)
        return figure, places[:count]

    def quiet(self, ax: Any) -> None:
        """Thin lines, no ticks; the caller's axes only lose a grid that would cover the picture."""
        if _settings()["axes.grid"]:
            ax.grid(False)
        ax.tick_params(labelfontfamily=self.small["fontfamily"])
        if not self.painted:
            return
        ax.set_facecolor(self.colours.background)
        for spine in ax.spines.values():
            spine.set(edgecolor=self.colours.muted, linewidth=0.4)
        ax.tick_params(colors=self.colours.ink, length=0)

    def framed(self, ax: Any) -> None:
        """Lines at the left and below, with short ticks, as plots of numbers have."""
        self.quiet(ax)
        ax.tick_params(colors=self.colours.muted, length=2)
        for side, spine in ax.spines.items():
            spine.set_visible(side in ("left", "bottom"))

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
        both_ways = (lambda x: power(x, 1 / root), lambda x: power(x, root))
        return {"cmap": self.map(), "norm": FuncNorm(both_ways, -largest, largest)}

    def bar(
        self, image: Any, label: str = "", ticks: Sequence[float] = (), names: Sequence[str] = (), **where: Any
    ) -> Any:
        """The legend of an image's colours, with numbers where ticks are given; None where none is wanted."""
        if not self.has_legend:
            if "cax" in where:
                where["cax"].remove()
            return None
        bar = image.axes.figure.colorbar(image, **(where or {"ax": image.axes, "fraction": 0.05, "pad": 0.03}))
        if self.is_narrow and len(ticks) > 3:
            ticks, names = ticks[:: len(ticks) - 1], names[:: len(ticks) - 1]
        if len(ticks):
            bar.set_ticks(ticks, labels=list(names) or [number(value) for value in ticks])
            bar.ax.minorticks_off()
        bar.outline.set_visible(False)
        bar.ax.grid(False)
        family = self.small["fontfamily"]
        bar.ax.tick_params(colors=self.colours.muted, labelsize=self.tick_size, length=2, labelfontfamily=family)
        if label and not self.is_narrow:
            along = bar.ax.xaxis if bar.orientation == "horizontal" else bar.ax.yaxis
            wide, high = _inches_of(where.get("cax", image.axes))
            room = 72 * (wide if bar.orientation == "horizontal" else high)
            said = self.fonts.wrapped(drawable(label), self.size, max(room, 30))
            if len(said) > (2 if self.given is None else 1):
                # A short bar: the numbers say how the scale runs.
                said = said[:1] if label.startswith(said[0] + " (") else []
            bar.set_label("\n".join(said), **self.small)
            self.write(along.label, self.colours.muted)
        return bar

    def root_bar(
        self, image: Any, largest: float, root: int, label: str, names: Sequence[str] = (), **where: Any
    ) -> Any:
        """A legend with numbers at even steps of colour."""
        steps = (-1.0, -0.5, 0.0, 0.5, 1.0) if self.signed else (0.0, 0.25, 0.5, 0.75, 1.0)
        ticks = [(largest or 1.0) * float(power(step, root)) for step in steps]
        return self.bar(image, f"{label} ({say(ROOTS[root])})", ticks, names, **where)

    def key(self, ax: Any, **where: Any) -> None:
        """The legend of an Axes' lines and bars."""
        if self.has_legend:
            for text in ax.legend(frameon=False, **where).get_texts():
                self.write(text, self.colours.ink)

    def caption(self, ax: "Axes", short: str, notes: Iterable[str], text: str = "") -> None:
        """Notes and the beginning of the text over the figure; over the caller's axes a short title."""
        if self.captioned is False:
            return
        if self.given is not None and self.captioned is None:
            self.write(ax.set_title(short), self.colours.ink)
        elif self.given is not None:
            wide, _ = _inches_of(ax)
            said = self.said(notes, text, 72 * wide, self.size)
            self.write(ax.set_title(said, fontsize=self.size, loc="left"), self.colours.ink)
        else:
            self.over(ax.get_figure(root=True), notes, text)

    def over(self, figure: Any, notes: Iterable[str], text: str = "") -> None:
        """Notes and the beginning of the text over a figure, in lines that fit."""
        if self.captioned is False:
            return
        wide = 72 * float(figure.get_size_inches()[0])
        said = self.said(notes, text, wide - 2 * _ASIDE, points("figure.titlesize"))
        self.write(figure.suptitle(said, x=_ASIDE / wide, ha="left"), self.colours.ink)

    def said(self, notes: Iterable[str], text: str, room: float, size: float) -> str:
        """Notes, each on its own lines of so many points, and the beginning of the text."""
        lines = [line for note in notes if note for line in self.fonts.wrapped(drawable(note), size, room)]
        if text:
            start = " ".join("".join(c if c.isprintable() else " " for c in text[:400]).split())
            short = self.fonts.shortened(start, size, room - size)
            more = "…" if len(text) > 400 and not short.endswith("…") else ""
            lines.append(say("“{word}”", word=short + more))
        return "\n".join(lines)

    def title(self, ax: Any, text: str, wide: float | None = None) -> None:
        """A panel's title, in lines of so many inches."""
        room = 72 * (wide or 0.8 * _inches_of(ax)[0])
        lines = self.fonts.wrapped(drawable(text), points("axes.titlesize"), room)
        self.write(ax.set_title("\n".join(lines), loc="left"), self.colours.ink)

    def label(self, axis: Any, text: str) -> None:
        """What is along an axis, in lines that fit."""
        if self.is_narrow:
            return
        wide, high = _inches_of(axis.axes)
        room = 72 * (wide if axis.axis_name == "x" else high)
        axis.set_label_text("\n".join(self.fonts.wrapped(drawable(text), self.size, room)), **self.small)
        self.write(axis.label, self.colours.muted)

    def ticks(self, axis: Any, names: Sequence[str], places: Sequence[float] | None = None) -> None:
        """Names along an axis, upright below it where they are no numbers; thinned to those that have room whenever it
        is drawn, and cut where they are long."""
        from matplotlib.ticker import FuncFormatter

        wide, high = _inches_of(axis.axes)
        across = axis.axis_name == "x"
        room = max(72 * _SHARE * (high if across else wide), _AT_LEAST * self.tick_size)
        shown = [self.fonts.shortened(drawable(name), self.tick_size, room) for name in names]
        widths = [self.fonts.width(name, self.tick_size) for name in shown]
        upright = across and not all(name.strip().isdecimal() for name in shown)
        need = max(widths, default=0.0) + 0.6 * self.tick_size if across and not upright else _APART * self.tick_size
        axis.set_major_locator(_locator(list(places if places is not None else range(len(shown))), need))
        by_place = dict(zip(map(float, places if places is not None else range(len(shown))), shown, strict=True))
        axis.set_major_formatter(FuncFormatter(lambda place, _: by_place.get(float(place), "")))
        # Every tick that may be drawn is made now, or later ones would read their letters as formulas.
        for tick in axis.get_major_ticks(min(len(shown), 400)):
            for label in (tick.label1, tick.label2):
                label.set(rotation=90 if upright else 0, parse_math=False, usetex=False, color=self.colours.ink)
                self._in_fonts(label, "".join(dict.fromkeys("".join(shown))), self.tick_size)

    def write(self, text: Any, colour: str) -> None:
        """Set a text in a font that has its letters; if it needs several fonts, letter by letter."""
        text.set_text(drawable(text.get_text()))
        self._in_fonts(text, text.get_text().replace("\n", " "), text.get_fontsize())
        text.set(color=colour, parse_math=False, usetex=False)

    def _in_fonts(self, text: Any, letters: str, size: float) -> None:
        from matplotlib.font_manager import FontProperties
        from matplotlib.patheffects import Normal

        paths = {path for _, path in self.fonts.runs(letters)}
        if len(paths) == 1:
            text.set_fontproperties(FontProperties(fname=paths.pop(), size=size))
        else:
            text.set_fontfamily(self.fonts.families())
        if paper().form == "pdf" and self.fonts.has_postscript_outlines(letters):
            text.set_path_effects([Normal()])  # as outlines: see fonts.has_postscript_outlines


def points(setting: str) -> float:
    """A font size of matplotlib's settings, in points."""
    from matplotlib.font_manager import FontProperties

    return float(FontProperties(size=_settings()[setting]).get_size_in_points())


def _settings() -> Any:
    import matplotlib

    return matplotlib.rcParams


def _inches_of(ax: Any) -> tuple[float, float]:
    """How large the Axes is, about: a layout comes later."""
    box = ax.get_position()
    wide, high = ax.get_figure(root=True).get_size_inches()
    return float(box.width * wide), float(box.height * high)


def _background(ax: "Axes | None") -> str:
    """The colour behind the Axes, or of the caller's new figures."""
    from matplotlib.colors import to_hex, to_rgba

    behind = [] if ax is None else [ax.get_facecolor(), ax.get_figure(root=True).get_facecolor()]  # type: ignore[union-attr]
    colours = [*behind, _settings()["figure.facecolor"]]
    return next((to_hex(colour) for colour in colours if to_rgba(colour)[3] > 0.5), "#ffffff")


def _inks() -> tuple[str, str]:
    """The caller's colours of text."""
    from matplotlib.colors import to_hex

    settings = _settings()
    return to_hex(settings["text.color"]), to_hex(settings["axes.labelcolor"])


def _families() -> list[str]:
    """The caller's fonts: families, and those that stand behind "serif" and the like."""
    settings = _settings()
    return [one for name in settings["font.family"] for one in settings.get(f"font.{name}", [name])]


def _locator(places: list[float], need: float) -> Any:
    """Of places along an axis as many, evenly thinned, as have `need` points each, whenever it is drawn."""
    from matplotlib.ticker import Locator

    class Thinned(Locator):
        def __call__(self) -> Any:
            axis: Any = self.axis
            low, high = sorted(axis.get_view_interval())
            return self.tick_values(low, high)

        def tick_values(self, vmin: float, vmax: float) -> Any:
            axis: Any = self.axis
            box = axis.axes.get_window_extent()
            extent = (box.width if axis.axis_name == "x" else box.height) * 72 / axis.axes.get_figure(root=True).dpi
            seen = [place for place in places if vmin <= place <= vmax]
            return np.array([seen[i] for i in thinned(len(seen), max(1, int(extent / need)))])

    return Thinned()
