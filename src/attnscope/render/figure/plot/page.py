"""One picture of attention maps: what is shown of them, and what it says about itself."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.render.colours import colours_for
from attnscope.render.content.caption import notes_of_maps
from attnscope.render.figure.look import Look
from attnscope.render.figure.style import drawable
from attnscope.results.attention_maps import AttentionMaps, TextSide
from attnscope.text.visible import model_name
from attnscope.translation import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST_LABEL = 14


class Page(Look):
    """The look of one picture of `maps`."""

    def __init__(self, maps: AttentionMaps, dark: bool | None, font: Any, **on: Any) -> None:
        self.maps = maps
        letters = maps.query_side.text + maps.key_side.text + self._model() + "·⏎→□…“”×±’"
        super().__init__(letters, dark, font, maps.signed, **on)
        self.unit = say("weight of linear attention") if maps.signed else say("attention")
        self.ramp = colours_for(False, self.dark)  # of statistics, which are shares

    def notes(self, what: str, *notes: str) -> list[str]:
        """How it was made, and notes."""
        unit = say("words") if self.maps.asked.unit == "word" else say("tokens")
        size = f"{len(self.maps.queries):,} × {len(self.maps.keys):,} {unit}"
        facts = "  ·  ".join(filter(None, [self._model(), what, size]))
        return [facts, *notes, *notes_of_maps(self.maps)]

    def head(self, ax: "Axes", what: str, *notes: str) -> None:
        """The caption, or on axes of the caller's what is drawn."""
        self.caption(ax, what, self.notes(what, *notes), self.maps.query_side.text)

    def words(self, ax: "Axes", queries: list[int], keys: list[int]) -> None:
        """Tokens along both axes."""
        for axis, side, shown in ((ax.yaxis, self.maps.query_side, queries), (ax.xaxis, self.maps.key_side, keys)):
            self.ticks(axis, [text_of(side, i) for i in shown])
        self.label(ax.yaxis, say("query"))
        self.label(ax.xaxis, say("key"))

    def _model(self) -> str:
        return drawable(model_name(str(self.maps.provenance.get("model") or "")))


def shown_of(maps: AttentionMaps, layer: int, head: int) -> tuple[NDArray[np.float32], list[int], list[int]]:
    """The map without special tokens, and the tokens of its rows and columns."""
    rows = [i for i, query in enumerate(maps.queries) if not maps.query_side.tokens[query].special]
    columns = [i for i, key in enumerate(maps.keys) if not maps.key_side.tokens[key].special]
    if not rows or not columns:
        raise InputError("the chosen queries or keys are all special tokens: choose others to draw")
    weights = maps.weights(layer, head)[np.ix_(rows, columns)]
    return weights, [maps.queries[i] for i in rows], [maps.keys[i] for i in columns]


def excluded(maps: AttentionMaps, layer: int | None = None, head: int | None = None) -> str:
    """What special tokens took of the mean query's attention, in one head or in all, where it was measured."""
    if "special" not in maps.statistics:
        return ""
    table = maps.columns()
    shares = table["special"]
    if layer is None or head is None:
        if not shares.any():
            return ""
        low, high = float(shares.min()), float(shares.max())
        mean, span = f"{shares.mean():.1%}", {"low": f"{low:.1%}", "high": f"{high:.1%}"}
        if maps.signed:
            return say(
                "special tokens, left out, had {share} of the weights’ sizes on average ({low} to {high} by head)",
                share=mean, **span,
            )  # fmt: skip
        return say("special tokens, left out, took {share} on average ({low} to {high} by head)", share=mean, **span)
    place = list(zip(table["layer"], table["head"], strict=True)).index(
        (layer if layer >= 0 else maps.layers[layer], head if head >= 0 else maps.heads[head])
    )
    if not shares[place]:
        return ""
    share = f"{shares[place]:.1%}"
    if maps.signed:
        return say("special tokens, left out, had {share} of the weights’ sizes", share=share)
    return say("special tokens, left out, took {share}", share=share)


def text_of(side: TextSide, token: int) -> str:
    """The text of a token, as a label."""
    return label_of(side.tokens[token].text)


def label_of(text: str) -> str:
    """A text with its white space visible, on one line."""
    label = text.replace("\n", "⏎").replace("\t", "→").replace(" ", "·")
    label = "".join(c if c.isprintable() else "□" for c in label)
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
