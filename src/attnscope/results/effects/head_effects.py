"""The effect of every head on a target: estimated for all, exact for some, side by side.

Plain frozen data, numpy only. An effect is the value before less the value without the head, as in `Effect`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import NonFiniteError
from attnscope.results.base import Document
from attnscope.results.files.reading import NUMBER, Kinds, checked, checked_tuple
from attnscope.results.statistics import interval, spearman
from attnscope.results.tables import Columns, counts, numbers
from attnscope.text.visible import visible

_SHOWN = 20


@dataclass(frozen=True, eq=False)
class HeadEffects(Document):
    """Effects of heads, (text, layer, head); NaN for a head that is not there, or whose exact effect was not taken.

    texts:     the texts. targets: what was measured, in words, one for each. values: the target's value on each.
    layers:    the model's numbers of the layers. heads: how many each has.
    how:       what stood in a head's place. references, samples: as in Taken.
    estimates: to first order, from one forward and one backward pass a text. exact: by a pass without the head.

    >>> heads = ats.head_effects(model, "Tokyo is the capital of", " Japan", exact=3)
    >>> heads.estimate.shape, int(heads.known.sum())
    ((30, 9), 3)
    """

    type: ClassVar[str] = "head_effects"
    tables: ClassVar[tuple[str, ...]] = ("heads",)

    texts: tuple[str, ...]
    targets: tuple[str, ...]
    quantity: str
    values: tuple[float, ...]
    layers: tuple[int, ...]
    heads: tuple[int, ...]
    estimates: NDArray[np.float64]
    exact: NDArray[np.float64]
    how: str = "zero"
    stack: str = "self"
    references: int = 0
    samples: int = 1
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (len(self.texts), len(self.layers), max(self.heads, default=0))
        if self.estimates.shape != shape or self.exact.shape != shape:
            raise ValueError(f"effects of shapes {self.estimates.shape} and {self.exact.shape}, expected {shape}")
        there = np.arange(shape[2]) < np.array(self.heads)[:, None]
        if not np.isfinite(self.estimates[:, there]).all():
            raise NonFiniteError(
                'an effect of a head is not finite: the model\'s numbers overflowed; try dtype="float32"'
            )

    @cached_property
    def estimate(self) -> NDArray[np.float64]:
        """(layer, head) The estimates' mean over the texts."""
        mean: NDArray[np.float64] = self.estimates.mean(0)
        return mean

    @cached_property
    def effect(self) -> NDArray[np.float64]:
        """(layer, head) The exact effects' mean over the texts; NaN where they were not taken."""
        mean: NDArray[np.float64] = self.exact.mean(0)
        return mean

    @cached_property
    def best(self) -> NDArray[np.float64]:
        """(layer, head) The exact effect where it is known, else the estimate."""
        return np.where(np.isnan(self.effect), self.estimate, self.effect)

    @property
    def known(self) -> NDArray[np.bool_]:
        """(layer, head) Whose exact effect is known."""
        return ~np.isnan(self.effect)

    @property
    def rank_correlation(self) -> float:
        """Spearman's rank correlation of estimate and exact effect over the heads that have both; NaN below three."""
        one, other = self.estimate[self.known], self.effect[self.known]
        return spearman(one, other) if len(one) > 2 else float("nan")

    def intervals(self, exact: bool = True) -> NDArray[np.float64]:
        """(2, layer, head) The 95 % bootstrap interval of the mean over the texts; NaN where there is no value."""
        return interval(self.exact if exact else self.estimates)

    def ranked(self) -> list[tuple[int, int]]:
        """Pairs (row of layers, head), the strongest effect first, whatever its sign."""
        places = [(i, head) for i, count in enumerate(self.heads) for head in range(count)]
        return sorted(places, key=lambda place: -abs(float(self.best[place])))

    def agreement(self) -> str:
        """How far the estimate is to be trusted, in words."""
        count = int(self.known.sum())
        if count < 3:
            return f"exact effects of {count} heads: the estimates are not checked"
        every = sum(self.heads)
        which = f"all {every} heads" if count == every else f"the {count} of {every} heads with the strongest estimates"
        return f"rank correlation of estimate and exact effect over {which}: {self.rank_correlation:.2f}"

    def table(self) -> str:
        """Plain text: the strongest heads, with estimate and exact effect, and how far both agree."""
        several = len(self.texts) > 1
        low, high = self.intervals() if several else (None, None)
        lines = [
            visible(f"effects of heads (how: {self.how}) on the {self.of()}"),
            f"{'head':>7}  {'estimate':>10}  {'exact':>10}",
        ]
        for place in self.ranked()[:_SHOWN]:
            exact = "—" if np.isnan(self.effect[place]) else f"{self.effect[place]:+.4g}"
            spread = ""
            if low is not None and high is not None and exact != "—":
                spread = f"  [{low[place]:+.3g}, {high[place]:+.3g}]"
            lines.append(
                f"{self.layers[place[0]]:>4}.{place[1]:<2}  {self.estimate[place]:>+10.4g}  {exact:>10}{spread}"
            )
        return "\n".join([*lines, self.agreement(), *map(visible, self.notes)]) + "\n"

    def of(self) -> str:
        """Of what the effects are, in words."""
        if len(self.texts) == 1:
            return self.targets[0]
        return f"{self.quantity.replace('_', '-')} of the targets of {len(self.texts)} texts"

    def __repr__(self) -> str:
        (row, head), *_ = self.ranked()
        top = f"{self.layers[row]}.{head} {self.best[row, head]:+.4g}"
        return f"<HeadEffects: {sum(self.heads)} heads, {int(self.known.sum())} exact; top: {top}>"

    def _columns(self, of: str) -> Columns:  # noqa: ARG002 -- there is one table
        places = [(i, head) for i, count in enumerate(self.heads) for head in range(count)]
        columns: Columns = {
            "layer": counts(self.layers[i] for i, _ in places),
            "head": counts(head for _, head in places),
        }
        for name, mean, exact in (("estimate", self.estimate, False), ("exact", self.effect, True)):
            low, high = self.intervals(exact)
            columns[name] = numbers(mean[place] for place in places)
            columns |= {
                f"{name}_low": numbers(low[p] for p in places),
                f"{name}_high": numbers(high[p] for p in places),
            }
        return columns

    def _body(self) -> dict[str, Any]:
        return {
            "texts": list(self.texts), "targets": list(self.targets), "quantity": self.quantity,
            "values": list(self.values), "layers": list(self.layers), "heads": list(self.heads), "how": self.how,
            "stack": self.stack, "references": self.references, "samples": self.samples,
            "rank_correlation": None if np.isnan(self.rank_correlation) else self.rank_correlation,
            "estimates": nested(self.estimates), "exact": nested(self.exact), "notes": list(self.notes),
            "provenance": dict(self.provenance),
        }  # fmt: skip

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        # The rank correlation is computed again.
        top = checked(data, _FIELDS, "the effects of heads")
        top |= {name: checked_tuple(top[name], kinds, name) for name, kinds in _TUPLES.items()}
        top |= {name: unnested(top[name], name) for name in ("estimates", "exact")}
        return cls(**top)


def nested(values: NDArray[np.float64]) -> Any:
    """Lists of an array's numbers, null where there is none."""
    if values.ndim:
        return [nested(row) for row in values]
    return None if np.isnan(values) else float(values)


def unnested(data: Any, name: str) -> NDArray[np.float64]:
    """The array of such lists. Raises ValueError for anything else."""
    values = np.array(data, dtype=object)
    if values.ndim != 3 or not all(
        one is None or (isinstance(one, int | float) and one is not True) for one in values.flat
    ):
        raise ValueError(f"{name} are not rows of numbers, for each text and layer")
    return np.array([np.nan if one is None else float(one) for one in values.flat]).reshape(values.shape)


_LIST: Kinds = (list, tuple)
_FIELDS: dict[str, Kinds] = {
    "texts": _LIST, "targets": _LIST, "quantity": (str,), "values": _LIST, "layers": _LIST, "heads": _LIST,
    "how": (str,), "stack": (str,), "references": (int,), "samples": (int,), "estimates": _LIST, "exact": _LIST,
    "notes": _LIST, "provenance": (dict,),
}  # fmt: skip
_TUPLES: dict[str, Kinds] = {
    "texts": (str,), "targets": (str,), "values": NUMBER, "layers": (int,), "heads": (int,), "notes": (str,)
}  # fmt: skip
