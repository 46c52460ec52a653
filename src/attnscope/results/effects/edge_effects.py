"""What a target loses when it may not look at a word in a window of layers: words × layers.

Plain frozen data, numpy only. An effect is the value before less the value with the edges cut, as in `Effect`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import NoneType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import NonFiniteError
from attnscope.results.base import Document
from attnscope.results.effects.head_effects import nested, unnested
from attnscope.results.files.reading import NUMBER, Kinds, checked, checked_tuple
from attnscope.results.statistics import interval
from attnscope.results.tables import Columns, counts, numbers, texts
from attnscope.text.visible import visible

# A row of the plain text shows so many layers.
_COLUMNS = 12


@dataclass(frozen=True, eq=False)
class EdgeEffects(Document):
    """Effects of cut edges, (text, word, layer).

    texts:   the texts. targets: what was measured, in words, one for each. values: the target's value on each.
    words:   what may not be looked at: the words of one text, or what stands for a word in each of several.
    queries: from where, in words.
    layers:  the middle of each window, by the model's numbers. window: how many layers with attention it has.
    renormalise: as in Taken.
    places:  of the words of one text, where each begins and ends in it; none of several texts.

    >>> edges = ats.edge_effects(model, "Tokyo is the capital of", " Japan", words=["Tokyo"])
    >>> print(edges.table())
    effect on the log-probability of ' Japan' when the target may not look at a word
    layer           0         3         6         9        12        15        18        21        24        27
    'Tokyo'    -0.552    -0.559     -1.92    +0.483    -0.382    -0.718     +4.75     +8.33     +6.04     +4.56
    each column: the edges cut in 9 layers around this one
    The rest of the query's weights grew to sum to one.
    """

    type: ClassVar[str] = "edge_effects"
    tables: ClassVar[tuple[str, ...]] = ("edges",)

    texts: tuple[str, ...]
    targets: tuple[str, ...]
    quantity: str
    values: tuple[float, ...]
    words: tuple[str, ...]
    queries: str
    layers: tuple[int, ...]
    window: int
    effects: NDArray[np.float64]
    renormalise: bool = True
    stack: str = "self"
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    places: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.texts), len(self.words), len(self.layers))
        if self.effects.shape != shape:
            raise ValueError(f"effects of shape {self.effects.shape}, expected {shape}")
        if self.places and (len(self.places) != len(self.words) or len(self.texts) != 1):
            raise ValueError(f"{len(self.places)} places for {len(self.words)} words of {len(self.texts)} texts")
        if not np.isfinite(self.effects).all():
            raise NonFiniteError('an effect is not finite: the model\'s numbers overflowed; try dtype="float32"')

    @cached_property
    def effect(self) -> NDArray[np.float64]:
        """(word, layer) The mean over the texts."""
        mean: NDArray[np.float64] = self.effects.mean(0)
        return mean

    @cached_property
    def relative(self) -> NDArray[np.float64]:
        """(word, layer) The change as a share of the value, on average over the texts: -0.6 is a fall by 60 %."""
        values = np.array(self.values)[:, None, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            share: NDArray[np.float64] = (-self.effects / values).mean(0)
        return share

    def intervals(self) -> NDArray[np.float64]:
        """(2, word, layer) The 95 % bootstrap interval of the mean over the texts."""
        return interval(self.effects)

    def of(self) -> str:
        """Of what the effects are, in words."""
        if len(self.texts) == 1:
            return self.targets[0]
        return f"{self.quantity.replace('_', '-')} of the targets of {len(self.texts)} texts"

    def table(self) -> str:
        """Plain text: a row a word, a column a window of layers (some of them where there are many)."""
        step = -(-len(self.layers) // _COLUMNS)
        shown = range(0, len(self.layers), step)
        names = [visible(repr(word)) for word in self.words]
        width = max(5, *map(len, names))
        lines = [
            visible(f"effect on the {self.of()} when {self.queries} may not look at a word"),
            f"{'layer':<{width}}" + "".join(f"  {self.layers[i]:>8}" for i in shown),
        ]
        lines += [
            f"{name:<{width}}" + "".join(f"  {row[i]:>+8.3g}" for i in shown)
            for name, row in zip(names, self.effect, strict=True)
        ]
        return "\n".join([*lines, self.windows(), *map(visible, self.notes)]) + "\n"

    def windows(self) -> str:
        """What a column is, in words."""
        return f"each column: the edges cut {self.around()}"

    def around(self) -> str:
        """In which layers edges were cut, seen from the middle of a window."""
        return "in this layer" if self.window == 1 else f"in {self.window} layers around this one"

    def __repr__(self) -> str:
        return f"<EdgeEffects: {len(self.words)} words × {len(self.layers)} layers, windows of {self.window}>"

    def _columns(self, of: str) -> Columns:  # noqa: ARG002 -- there is one table
        low, high = self.intervals()
        places = [(i, j) for i in range(len(self.words)) for j in range(len(self.layers))]
        return {
            "place": counts(i for i, _ in places),
            "word": texts(self.words[i] for i, _ in places),
            "layer": counts(self.layers[j] for _, j in places),
            "effect": numbers(self.effect[place] for place in places),
            "low": numbers(low[place] for place in places),
            "high": numbers(high[place] for place in places),
        }

    def _body(self) -> dict[str, Any]:
        return {
            "texts": list(self.texts), "targets": list(self.targets), "quantity": self.quantity,
            "values": list(self.values), "words": list(self.words), "queries": self.queries,
            "layers": list(self.layers), "window": self.window, "renormalise": self.renormalise, "stack": self.stack,
            "effects": nested(self.effects), "notes": list(self.notes), "provenance": dict(self.provenance),
            "places": [list(place) for place in self.places],
        }  # fmt: skip

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        top = checked(data, _FIELDS, "the effects of edges")
        top |= {name: checked_tuple(top[name], kinds, name) for name, kinds in _TUPLES.items()}
        # Files of before have no places.
        places = tuple(checked_tuple(place, (int,), "a place", 2) for place in top["places"] or ())
        return cls(**{**top, "effects": unnested(top["effects"], "effects"), "places": places})


_LIST: Kinds = (list, tuple)
_FIELDS: dict[str, Kinds] = {
    "texts": _LIST, "targets": _LIST, "quantity": (str,), "values": _LIST, "words": _LIST, "queries": (str,),
    "layers": _LIST, "window": (int,), "renormalise": (bool,), "stack": (str,), "effects": _LIST, "notes": _LIST,
    "provenance": (dict,), "places": (*_LIST, NoneType),
}  # fmt: skip
_TUPLES: dict[str, Kinds] = {
    "texts": (str,), "targets": (str,), "values": NUMBER, "words": (str,), "layers": (int,), "notes": (str,)
}  # fmt: skip
