"""What each attention head does, over many texts: statistics of its rows with intervals, and telling texts.

numpy only. The sums of several parts of a corpus are put together as those of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError, RangeError
from attnscope.results.base import Document
from attnscope.results.tables import Columns, counts, numbers, texts
from attnscope.text.visible import visible

# Name -> what it says, and where from. Means over a text's queries (i) and keys (j) of rows A; then over texts.
PROFILE: dict[str, tuple[str, str]] = {
    "entropy": ("−Σⱼ Aᵢⱼ log Aᵢⱼ, in nats: how spread out a row is", "arXiv:1906.04341"),
    "distance": ("Σⱼ Aᵢⱼ |i − j|, in tokens", "arXiv:1906.04284"),
    "sink": ("maxⱼ of the mean Aᵢⱼ over queries: the share that the most attended key takes", "arXiv:2309.17453"),
    "special": ("Σ Aᵢⱼ over special tokens", "arXiv:1906.04341"),
    "previous": ("Aᵢ,ᵢ₋₁: the share on the token before", "arXiv:1905.09418"),
    "same_word": ("Σ Aᵢⱼ over the other tokens of the query's own word", "arXiv:1906.04341"),
    "first": ("Aᵢ₀: the share on the first token", "arXiv:2309.17453"),
    "effect": ("Σ ∇z · z: what the target loses, to first order, without the head's output z", "arXiv:2310.10348"),
    "induction": (
        "prefix match on random tokens that come twice: Aᵢⱼ where j follows the earlier copy of token i",
        "arXiv:2209.11895",
    ),
    "copying": (
        "share of random tokens that are among the 5 that the head's output from them alone raises most (of those in "
        "the text)",
        "arXiv:2211.00593",
    ),
    "retrieval": (
        "share of a planted needle's tokens that are the head's most attended key where they are to be repeated",
        "arXiv:2404.15574",
    ),
}
# How many telling texts are kept of each head and statistic.
STRONGEST = 3
# Characters of such a text that are shown.
EXAMPLE = 400
# The half width of a 95 % interval of a mean, in standard errors.
_Z = 1.959963984540054

Place = tuple[int, int]


@dataclass
class HeadSums:
    """Running sums over texts, one at a time or part by part (Chan, Golub and LeVeque 1983).

    statistics, places: the axes: statistic, and (layer, head).
    count, mean, m2: (statistic, place). strongest: the numbers of the texts with the largest values, and the values,
    (statistic, place, STRONGEST), −1 where there are fewer.
    """

    statistics: tuple[str, ...]
    places: tuple[Place, ...]
    count: NDArray[np.int64] = field(init=False)
    mean: NDArray[np.float64] = field(init=False)
    m2: NDArray[np.float64] = field(init=False)
    numbers: NDArray[np.int64] = field(init=False)
    values: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        shape = (len(self.statistics), len(self.places))
        self.count = np.zeros(shape, np.int64)
        self.mean, self.m2 = np.zeros(shape), np.zeros(shape)
        self.numbers = np.full((*shape, STRONGEST), -1, np.int64)
        self.values = np.full((*shape, STRONGEST), -np.inf)

    def add(self, values: NDArray[np.float64], number: int) -> None:
        """One text's values (statistic, place), NaN where it has none."""
        there = ~np.isnan(values)
        self.count += there
        change = np.where(there, values - self.mean, 0.0)
        self.mean += change / np.maximum(self.count, 1)
        self.m2 += np.where(there, change * (values - self.mean), 0.0)
        self._keep(np.where(there, values, -np.inf)[..., None], np.where(there, number, -1)[..., None])

    def merge(self, other: "HeadSums") -> None:
        """Those of other texts, of the same model. Raises InputError for another one's."""
        if (other.statistics, other.places) != (self.statistics, self.places):
            raise InputError("the sums are of other heads or statistics: they are not of the same model")
        count = self.count + other.count
        change = other.mean - self.mean
        share = other.count / np.maximum(count, 1)
        self.mean = self.mean + change * share
        self.m2 = self.m2 + other.m2 + change**2 * self.count * share
        self.count = count
        self._keep(other.values, other.numbers)

    def interval(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The 95 % interval of the means over texts, mean ± 1.96 · s / √n, (statistic, place); NaN below two texts."""
        with np.errstate(divide="ignore", invalid="ignore"):
            half = _Z * np.sqrt(self.m2 / (self.count - 1) / self.count)
        half = np.where(self.count > 1, half, np.nan)
        return self.mean - half, self.mean + half

    def _keep(self, values: NDArray[np.float64], numbers: NDArray[np.int64]) -> None:
        every = np.concatenate([self.values, values], -1), np.concatenate([self.numbers, numbers], -1)
        # Of equal values the earlier text comes first.
        order = np.argsort(-every[0], axis=-1, kind="stable")[..., :STRONGEST]
        self.values, self.numbers = (np.take_along_axis(one, order, -1) for one in every)


@dataclass(frozen=True, eq=False)
class HeadProfiles(Document):
    """Statistics of every head, over texts.

    statistics: names of PROFILE. places: each head as (layer, head), the layer by its number in the model.
    mean, low, high: (statistic, head): the mean over texts and its 95 % interval; NaN where there is none.
    count:      (statistic, head), of how many texts, or of random sequences where a statistic is of those.
    strongest:  of each statistic and head the numbers of the texts in which it is largest, and the values.
    examples:   number -> text, of those.
    provenance: model and versions. other: the same heads of another model, side by side.

    >>> profiles = ats.head_profiles(model, ["The black cat slept by the fire.", "Nobody had seen the dog."])
    >>> profiles.strongest_heads("previous", 2)
    [(16, 0), (11, 1)]
    """

    type: ClassVar[str] = "head_profiles"
    tables: ClassVar[tuple[str, ...]] = ("heads",)

    statistics: tuple[str, ...]
    places: tuple[Place, ...]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]
    strongest: tuple[tuple[tuple[tuple[int, float], ...], ...], ...]
    examples: Mapping[int, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    other: "HeadProfiles | None" = None

    @classmethod
    def of(
        cls,
        sums: Sequence[HeadSums],
        examples: Mapping[int, str],
        provenance: Mapping[str, Any],
        other: "HeadProfiles | None" = None,
    ) -> Self:
        """The profiles that the sums of one or several groups of statistics come to."""
        places = sums[0].places
        found = {name: (one, i) for one in sums for i, name in enumerate(one.statistics)}
        names = tuple(name for name in PROFILE if name in found)
        rows = [found[name] for name in names]
        intervals = {id(one): one.interval() for one in sums}
        seen = {int(n) for one in sums for n in one.numbers.ravel() if n >= 0}
        return cls(
            names,
            places,
            np.array([np.where(one.count[i] > 0, one.mean[i], np.nan) for one, i in rows]),
            np.array([intervals[id(one)][0][i] for one, i in rows]),
            np.array([intervals[id(one)][1][i] for one, i in rows]),
            np.array([one.count[i] for one, i in rows]),
            tuple(
                tuple(
                    tuple(
                        (int(n), float(v)) for n, v in zip(one.numbers[i, p], one.values[i, p], strict=True) if n >= 0
                    )
                    for p in range(len(places))
                )
                for one, i in rows
            ),
            {number: text for number, text in examples.items() if number in seen},
            dict(provenance),
            other,
        )

    @classmethod
    def of_rows(
        cls, rows: Sequence[Mapping[str, Any]], examples: Mapping[int, str], provenance: Mapping[str, Any]
    ) -> Self:
        """The profiles in the rows of a survey's table of heads."""
        names = tuple(dict.fromkeys(row["statistic"] for row in rows))
        places = tuple(dict.fromkeys((row["layer"], row["head"]) for row in rows))
        shape = (len(names), len(places))

        def array(name: str) -> NDArray[np.float64]:
            return np.array([np.nan if row[name] is None else row[name] for row in rows], float).reshape(shape)

        pairs = [tuple(zip(row["strongest"], row["values"], strict=True)) for row in rows]
        strongest = tuple(tuple(pairs[i * len(places) : (i + 1) * len(places)]) for i in range(len(names)))
        count = array("texts").astype(np.int64)
        shown = {number: text[:EXAMPLE] for number, text in examples.items()}
        return cls(names, places, array("mean"), array("low"), array("high"), count, strongest, shown, dict(provenance))

    def head(self, layer: int, head: int) -> dict[str, dict[str, Any]]:
        """What one head is for: of each statistic its mean, interval, rank among all heads from 1, and its texts.

        The statistics in which it ranks first come first. Raises RangeError for a head that there is not.
        """
        if (layer, head) not in self.places:
            raise RangeError(f"there is no head {layer}.{head}: layers and heads are {self._range()}")
        place = self.places.index((layer, head))
        found = {}
        for i, name in enumerate(self.statistics):
            if np.isnan(self.mean[i, place]):
                continue
            found[name] = {
                "mean": float(self.mean[i, place]),
                "low": float(self.low[i, place]),
                "high": float(self.high[i, place]),
                "rank": int((self.mean[i] > self.mean[i, place]).sum()) + 1,
                "texts": [(value, self.examples.get(number, "")) for number, value in self.strongest[i][place]],
            }
        return dict(sorted(found.items(), key=lambda item: (not item[1]["mean"], item[1]["rank"])))

    def strongest_heads(self, statistic: str, count: int = 5) -> list[Place]:
        """The heads in which a statistic is largest. Raises InputError for an unknown one."""
        if statistic not in self.statistics:
            raise InputError(f"there is no statistic {statistic!r} here; choose from {', '.join(self.statistics)}")
        row = self.mean[self.statistics.index(statistic)]
        order = np.argsort(-np.where(np.isnan(row), -np.inf, row), kind="stable")
        return [self.places[i] for i in order[:count] if not np.isnan(row[i])]

    def table(self) -> str:
        """Plain text: of each statistic the strongest heads."""
        lines = [f"{'statistic':<10}  strongest heads (layer.head: mean, 95 % interval)"]
        for i, name in enumerate(self.statistics):
            cells = []
            for place in self.strongest_heads(name, 4):
                p = self.places.index(place)
                cells.append(
                    f"{place[0]}.{place[1]}: {self.mean[i, p]:.3g} [{self.low[i, p]:.3g}, {self.high[i, p]:.3g}]"
                )
            lines.append(f"{name:<10}  " + "   ".join(cells or ["—"]))
        return "\n".join(lines) + f"\nmodel {visible(str(self.provenance.get('model', '')))}\n"

    def _range(self) -> str:
        layers = [layer for layer, _ in self.places]
        return f"{min(layers)} to {max(layers)} and 0 to {max(head for _, head in self.places)}"

    def _columns(self, of: str) -> Columns:  # noqa: ARG002 -- there is one table
        cells = [(i, p) for i in range(len(self.statistics)) for p in range(len(self.places))]
        columns: Columns = {
            "layer": counts(self.places[p][0] for _, p in cells),
            "head": counts(self.places[p][1] for _, p in cells),
            "statistic": texts(self.statistics[i] for i, _ in cells),
            "mean": numbers(self.mean[i, p] for i, p in cells),
            "low": numbers(self.low[i, p] for i, p in cells),
            "high": numbers(self.high[i, p] for i, p in cells),
            "texts": counts(self.count[i, p] for i, p in cells),
        }
        if self.other is not None:
            columns["other"] = numbers(self.other_mean(self.statistics[i], self.places[p]) for i, p in cells)
            columns["difference"] = columns["other"] - columns["mean"]
        return columns

    def other_mean(self, statistic: str, place: Place) -> float:
        """The other model's mean of a statistic in the same head; NaN where it has none."""
        other = self.other
        if other is None or statistic not in other.statistics or place not in other.places:
            return float("nan")
        return float(other.mean[other.statistics.index(statistic), other.places.index(place)])

    def _body(self) -> dict[str, Any]:
        def plain(values: NDArray[np.float64]) -> list[list[float | None]]:
            return [[None if np.isnan(x) else float(x) for x in row] for row in values]

        return {
            "statistics": list(self.statistics),
            "places": [list(place) for place in self.places],
            "mean": plain(self.mean),
            "low": plain(self.low),
            "high": plain(self.high),
            "count": self.count.tolist(),
            "strongest": [[[[n, v] for n, v in head] for head in row] for row in self.strongest],
            "examples": {str(number): text for number, text in self.examples.items()},
            "provenance": dict(self.provenance),
            "other": None if self.other is None else self.other.to_dict(),
        }

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        def array(name: str) -> NDArray[np.float64]:
            found = np.array([[np.nan if x is None else float(x) for x in row] for row in data[name]])
            if found.shape != (len(data["statistics"]), len(data["places"])):
                raise ValueError(f"{name} has not a number for each statistic and head")
            return found

        return cls(
            tuple(str(name) for name in data["statistics"]),
            tuple((int(layer), int(head)) for layer, head in data["places"]),
            array("mean"),
            array("low"),
            array("high"),
            array("count").astype(np.int64),
            tuple(tuple(tuple((int(n), float(v)) for n, v in head) for head in row) for row in data["strongest"]),
            {int(number): str(text) for number, text in data["examples"].items()},
            dict(data["provenance"]),
            None if data["other"] is None else cls.read(data["other"]),
        )

    def __repr__(self) -> str:
        return f"<HeadProfiles of {len(self.places)} heads>\n{self.table()}"
