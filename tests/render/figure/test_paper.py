"""Figures for papers: their size, what is left out of them, their letters and fonts."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import matplotlib
import pytest
from drawn_maps import TEXT, maps_of
from drawn_results import (
    ENGLISH,
    EVERY,
    JAPANESE,
    RESULTS,
    SEGMENTS,
    agreement_of,
    citation,
    comparison,
    edge_effects,
    effect,
    per_token,
    result,
    similar,
)  # fmt: skip
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from attnscope.errors import InputError
from attnscope.render import RENDERERS, render
from attnscope.render.figure.paper import WIDTHS, on_paper, paper

ONE = EVERY["attribution"]
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
# As long, as many, as wide as they come.
HARD: dict[str, Any] = {
    "long text": result(ENGLISH),
    "japanese": result(JAPANESE, pattern=SEGMENTS),
    "arabic": RESULTS["arabic"],
    "unbroken": RESULTS["unbroken"],
    "signed": RESULTS["signed"],
    "long words": replace(result(f"{LONG} and {LONG}"), method=LONG),
    "segments": result(
        "one two three", asked={"segments": {f"{LONG} {i}": (4 * i, 4 * i + 3) for i in range(3)}, "unit": "segment"}
    ),
    "maps": maps_of(TEXT),
    "one head": maps_of(TEXT * 3, layers=1, heads=1),
    "japanese head": maps_of("吾輩は猫である 名前はまだ無い " * 4, layers=1, heads=1),
    "many heads": maps_of("a b c", layers=12, heads=12),
    "statistics": replace(maps_of(TEXT, layers=30, heads=9), codes=None, largest=None),
    "agreement": agreement_of(),
    "per token": per_token(result(ENGLISH), 12),
    "comparison": comparison(f"the old {LONG} " * 3, f"the new {LONG} " * 3, task=LONG),
    "similarity": similar(ENGLISH, "the old fortress"),
    "long similarity": similar(" ".join(f"word{i}" for i in range(90)), JAPANESE.replace("。", " ")),
    "citation": citation(ENGLISH, [f"{ENGLISH} ", f"{JAPANESE} ", "It rains."]),
    "effect": effect(strings=(f" {LONG}", " 城", " crow")),
    "edges": edge_effects(2, [LONG, "城", *map(str, range(60))]),
}


@contextmanager
def drawn(monkeypatch: pytest.MonkeyPatch, check: Any) -> Iterator[None]:
    """`check` sees each figure when it is saved, with the settings that it is drawn with."""
    save = Figure.savefig
    seen = []

    def saved(figure: Figure, *args: Any, **kwargs: Any) -> None:
        save(figure, *args, **kwargs)
        seen.append(figure)
        figure.draw_without_rendering()
        check(figure)

    monkeypatch.setattr(Figure, "savefig", saved)
    yield
    assert seen


# With what else there is than one picture: panels, thumbnails, lines beside a map.
PANELS = ("attention_maps", "similarity", "evaluation", "effect", "survey_summary")


def _in_view(axis: Any) -> list[Text]:
    """The names along an axis that are drawn: not of ticks beyond its ends."""
    low, high = sorted(axis.get_view_interval())
    labels = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=False)
    return [label for at, label in labels if low <= at <= high and label.get_visible() and label.get_text()]


def texts_of(figure: Figure) -> list[Text]:
    """What can be seen."""
    of_ticks: set[int] = set()
    shown: list[Text] = []
    for axis in (axis for ax in figure.findobj(Axes) for axis in (ax.xaxis, ax.yaxis)):
        ticks = axis.get_major_ticks() + axis.get_minor_ticks()
        of_ticks |= {id(label) for tick in ticks for label in (tick.label1, tick.label2)}
        shown += _in_view(axis)
    found = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip() and id(t) not in of_ticks]
    return [*found, *shown]


def can_be_read(figure: Figure) -> None:
    """Letters of six points or more, none beyond the edge, no name over another."""
    wide, high = figure.bbox.width, figure.bbox.height
    for text in texts_of(figure):
        assert text.get_fontsize() >= 6, text
        box = text.get_window_extent()
        assert box.x0 >= -0.6, text
        assert box.x1 <= wide + 0.6, text
        assert box.y0 >= -0.6, text
        assert box.y1 <= high + 0.6, text
    for ax in figure.axes:
        for axis, low, high in ((ax.xaxis, "x0", "x1"), (ax.yaxis, "y0", "y1")):
            labels = _in_view(axis)
            boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: getattr(box, low))
            for one, other in pairwise(boxes):
                assert getattr(one, high) <= getattr(other, low) + 0.8, f"{axis.axis_name}: {[*map(str, labels)]}"


def inches(data: bytes) -> tuple[float, float]:
    """Width and height of a pdf."""
    found = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", data)
    assert found
    return float(found[1]) / 72, float(found[2]) / 72


def has_fonts_that_publishers_take(data: bytes) -> None:
    """Neither Type 3, nor PostScript outlines embedded as if they were TrueType, which Acrobat cannot show."""
    assert b"/Type3" not in data
    for name in re.findall(rb"/FontName /(\S+)", data):
        assert b"CJK" not in name, "Noto Sans CJK has PostScript outlines"


@pytest.mark.parametrize(
    ("name", "width"), [(name, "column") for name in EVERY | HARD] + [(name, "page") for name in PANELS]
)
def test_every_pdf_is_as_wide_as_asked_can_be_read_and_has_truetype_fonts(
    name: str, width: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with drawn(monkeypatch, can_be_read):
        data = render((EVERY | HARD)[name], ".pdf", width=width)
    wide, high = inches(data)
    assert wide == pytest.approx(WIDTHS[width], abs=0.01)
    assert 0.2 < high < 30
    has_fonts_that_publishers_take(data)


@pytest.mark.parametrize("name", PANELS)
def test_every_figure_has_its_own_size_and_can_be_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with drawn(monkeypatch, can_be_read):
        render(EVERY[name], ".svg", dark=True)


@pytest.mark.parametrize(("width", "expected"), [("page", 6.75), (4, 4.0), ("5.5", 5.5)])
def test_widths_are_names_or_inches(width: Any, expected: float) -> None:
    assert inches(render(EVERY["effect"], ".pdf", width=width))[0] == pytest.approx(expected, abs=0.01)
    assert inches(render(ONE, ".pdf", width=width, height=3))[1] == pytest.approx(3, abs=0.02)


@pytest.mark.parametrize("name", PANELS)
def test_every_figure_is_as_high_as_asked(name: str) -> None:
    assert inches(render(EVERY[name], ".pdf", width="page", height=4.5))[1] == pytest.approx(4.5, abs=0.02)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"width": "colum"}, 'expected "column", "page" or inches'),
        ({"width": 0}, "expected"),
        ({"width": True}, "expected"),
        ({"width": "nan"}, "expected"),
        ({"height": "page"}, "height='page': expected inches"),
        ({"height": float("nan")}, "expected inches"),
        ({"height": -1}, "expected inches"),
        ({"caption": "Figure 1"}, "expected True or False"),
        ({"legend": None}, "expected True or False"),
    ],
)
def test_what_is_no_size_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        render(ONE, ".pdf", **given)


def test_a_height_that_the_text_does_not_fit_into_is_refused() -> None:
    with pytest.raises(InputError, match="inches in height"):
        render(result("many words " * 200), ".svg", width="column", height=1)
    with pytest.raises(InputError, match="no room for the maps"):
        render(EVERY["attention_maps"], ".svg", width="column", height=0.5)


@pytest.mark.parametrize("name", EVERY)
def test_a_caption_and_a_legend_are_left_to_the_paper(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def bare(figure: Figure) -> None:
        assert figure.get_suptitle() == ""
        assert not [ax for ax in figure.axes if ax.get_label() == "<colorbar>" or ax.get_legend()]
        assert not [t for t in texts_of(figure) if "tests/tiny" in t.get_text()]

    with drawn(monkeypatch, bare):
        render(EVERY[name], ".svg", caption=False, legend=False)


def test_a_negative_word_is_underlined_on_a_paper_so_that_grey_print_has_its_sign() -> None:
    signed, other = RESULTS["signed"], replace(RESULTS["signed"], signed=False)
    assert render(signed, ".svg", width="column").count(b"1c1b22") > render(other, ".svg", width="column").count(
        b"1c1b22"
    )


def test_nothing_is_kept_from_one_figure_to_the_next() -> None:
    before = render(ONE, ".svg")
    settings = matplotlib.rcParams.copy()
    render(ONE, ".svg", width="column", caption=False)
    with pytest.raises(InputError):
        render(ONE, ".svg", width="column", font="no such font")
    assert render(ONE, ".svg") == before
    assert matplotlib.rcParams.copy() == settings


def test_panels_stand_below_each_other_where_they_would_be_narrow() -> None:
    assert paper().columns(3, 4.0) == 3
    with on_paper("column"):
        assert paper().columns(3, 4.0) == 1
        assert paper().columns(3, 1.9) == 2
    with on_paper("page"):
        assert paper().columns(5, 1.9) == 5


def test_every_figure_takes_them() -> None:
    for row in RENDERERS.values():
        for suffix in (".png", ".svg", ".pdf"):
            assert {"width", "height", "caption", "legend", "font", "dark"} <= set(row[suffix].options)
