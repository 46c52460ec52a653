"""Statistics of heads on axes: layers down, heads across."""

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.render.figure.plot.in_cell import in_language, panels
from attnscope.render.figure.plot.page import Page
from attnscope.results.attention_maps import STATISTICS, AttentionMaps
from attnscope.translation import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 3


@in_language
def statistic(
    maps: AttentionMaps,
    name: str,
    *,
    ax: "Axes | None" = None,
    dark: bool | None = None,
    font: Any = None,
    caption: bool | None = None,
    legend: bool = True,
    lang: str | None = None,
) -> "Axes":
    """A statistic of each layer and head as a small heat map. name: a column of `maps.columns()`; returns the Axes.

    Raises InputError for a statistic that was not kept.
    """
    table = maps.columns()
    if name not in table or name in ("layer", "head"):
        kept = ", ".join(_statistics(maps)) or "none"
        raise InputError(f"there is no statistic {name!r} by layer and head here; kept are: {kept}")
    page = Page(maps, dark, font, ax=ax, caption=caption, legend=legend)
    ax = page.axes((max(0.28 * len(maps.heads) + 1.8, 4.6), max(0.22 * len(maps.layers) + 1.4, 2.4)))
    _panel(page, ax, name, table[name])
    page.head(ax, _said(name), say(STATISTICS[name][1]))
    return ax


@in_language
def statistics(
    maps: AttentionMaps,
    *,
    dark: bool | None = None,
    font: Any = None,
    caption: bool | None = None,
    legend: bool = True,
    lang: str | None = None,
) -> NDArray[Any]:
    """Every statistic of layer and head that was kept, side by side; returns the Axes of each.

    Raises InputError where there is none.
    """
    names = _statistics(maps)
    if not names:
        raise InputError("there is nothing to draw: neither maps nor a statistic by layer and head was kept")
    table = maps.columns()
    panel = (min(max(0.2 * len(maps.heads) + 1.2, 2.6), 4.0), min(max(0.12 * len(maps.layers) + 1.0, 1.8), 5.0))
    page = Page(maps, dark, font, caption=caption, legend=legend)
    figure, places = page.panels(len(names), *panel, most=_COLUMNS)
    for ax, name in zip(places, names, strict=True):
        _panel(page, ax, name, table[name])
        page.title(ax, _said(name) if page.captioned is False else f"{_said(name)}\n{say(STATISTICS[name][1])}")
    page.over(figure, page.notes(say("means over queries")), maps.query_side.text)
    return panels(places)


def _panel(page: Page, ax: "Axes", name: str, column: NDArray[Any]) -> None:
    """The numbers of a statistic, layers down and heads across, with their legend."""
    maps = page.maps
    values = column.reshape(len(maps.layers), len(maps.heads))
    image = ax.imshow(
        values,
        aspect="auto",
        interpolation="nearest",
        cmap=page.map(page.ramp),
        vmin=0,
        vmax=float(values.max()) or 1.0,
    )
    for axis, indices, what in ((ax.xaxis, maps.heads, "head"), (ax.yaxis, maps.layers, "layer")):
        page.ticks(axis, [str(index) for index in indices])
        page.label(axis, say(what))
    page.bar(image, say({"entropy": "nats", "distance": "tokens"}.get(name, "share")))


def _said(name: str) -> str:
    """A statistic's name: its column in English."""
    said = say(name.replace("_", " "))
    return name if said == name.replace("_", " ") else said


def _statistics(maps: AttentionMaps) -> list[str]:
    return [name for name in maps.columns() if name not in ("layer", "head")]
