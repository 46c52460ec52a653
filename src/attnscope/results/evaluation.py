"""How faithful methods are on some texts: one row for each text and method, and summaries of the rows.

Plain frozen data, numpy only. The file is JSON lines: a head that says what is measured, then rows as they come, so
that an interrupted run loses nothing and can resume (docs/schema.md).
"""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import DamagedFileError, InputError
from attnscope.results.base import SCHEMA, Result
from attnscope.results.files.reading import encoded, shallow, text_of
from attnscope.results.files.writing import write_atomically
from attnscope.results.sample import Sample as Sample
from attnscope.results.statistics import FLIPS, holm, interval, paired
from attnscope.results.tables import Columns, counts, flags, numbers, texts
from attnscope.text.visible import visible

# Of an evaluation of similarities: what takes the part of the probability, in its settings ("quantity").
ALIKE = "(1 + cosine) / 2"
# Every evaluation includes this method, and the others are compared with it.
YARDSTICK = "random"
# It is the mean over this many random orders of each text's words.
YARDSTICK_ORDERS = 10
# On fewer texts no test is made (of 5 signs, the smallest p is 1/16), and on fewer than the second they are rough.
FEWEST_TESTED, FEWEST_TRUSTED = 6, 10
# Curves of texts of different lengths are averaged at these shares of their words.
SHARES = tuple(np.linspace(0, 1, 21).tolist())


@dataclass(frozen=True)
class EvaluationRow:
    """One method's scores on one text, and how they did.

    key:    the sample's key; number: its place in the given list.
    values: the value of each metric; None where it is not defined on this text.
    curves: for each curve, the label's probability at 0, 1, …, n words.
    words, scores: the words that were judged and their scores; human: their importance to people, where known.
    label, gold, probability: the explained label, the right label, and how likely the model finds the explained one.
    predicted: whether the explained label is the likeliest.
    draws:  of the yardstick, the values of each metric in each of its random orders, whose means are `values`.
    """

    key: str
    number: int
    method: str
    values: Mapping[str, float | None]
    curves: Mapping[str, tuple[float, ...]]
    words: tuple[str, ...]
    scores: tuple[float, ...]
    human: tuple[float, ...] | None
    label: str
    gold: str | None
    probability: float
    predicted: bool
    seconds: float
    draws: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """The row that `to_json` wrote. Raises TypeError or ValueError for anything else."""
        row = cls(
            **{
                **data,
                "curves": {name: tuple(map(float, curve)) for name, curve in data["curves"].items()},
                "draws": {name: tuple(values) for name, values in data.get("draws", {}).items()},
                "words": tuple(map(str, data["words"])),
                "scores": tuple(map(float, data["scores"])),
                "human": None if data["human"] is None else tuple(map(float, data["human"])),
            }
        )
        if not all(v is None or math.isfinite(v) for v in (*row.values.values(), *row.scores, row.probability)):
            raise ValueError("a value is not a finite number")
        return row


@dataclass(frozen=True)
class Standing:
    """How well one method does by one metric.

    mean, low, high: the mean over the texts on which the metric is defined, with a 95 % bootstrap interval.
    count:      the number of these texts.
    difference: the difference from the yardstick on the texts that both have: mean, low, high.
    p:          the p value of a paired test of no difference, corrected for all methods and metrics (Holm); NaN for
                the yardstick, and on fewer than 6 texts, where no p can be small enough.
    spread:     of the yardstick, the standard deviation of the mean over its random orders; else 0.
    """

    method: str
    metric: str
    mean: float
    low: float
    high: float
    count: int
    difference: tuple[float, float, float]
    p: float
    better: str
    spread: float = 0.0

    @property
    def verdict(self) -> str:
        """ "better" or "worse" than the yardstick at p < 0.05, else ""."""
        if math.isnan(self.p) or self.p >= 0.05:
            return ""
        return "better" if (self.difference[0] > 0) == (self.better == "higher") else "worse"


@dataclass(frozen=True, eq=False)
class Evaluation(Result):
    """The rows of an evaluation, and its settings.

    settings: model and versions, "replacement", "metrics": {name: {"better", "asks", "value", "paper"}}, "shares" of
              curves, "skipped": {method: why it does not run on this model}.

    >>> reviews = ["A warm and funny film. It is", "Two hours wasted. It is"]
    >>> done = ats.evaluate(model, reviews, ["deletion"], ["top_drop"], labels=[" good", " bad"], curves=False)
    >>> done.methods, done.metrics, done.texts
    (('deletion', 'random'), ('top_drop',), 2)
    """

    type: ClassVar[str] = "evaluation"
    tables: ClassVar[tuple[str, ...]] = ("standings", "rows")

    settings: Mapping[str, Any]
    rows: tuple[EvaluationRow, ...] = field(default=())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Evaluation) and (self.settings, self.rows) == (other.settings, other.rows)

    def __hash__(self) -> int:
        return hash((len(self.rows), self.settings.get("model")))

    def __repr__(self) -> str:
        return f"<Evaluation of {len(self.methods)} methods on {self.texts} texts by {', '.join(self.metrics)}>"

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """The methods, in the order of their first rows."""
        return tuple(dict.fromkeys(row.method for row in self.rows))

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that are defined on at least one text."""
        return tuple(
            name for name in self.settings["metrics"] if any(row.values.get(name) is not None for row in self.rows)
        )

    @cached_property
    def texts(self) -> int:
        """How many texts there are."""
        return len({row.key for row in self.rows})

    @cached_property
    def accuracy(self) -> float | None:
        """The share of texts whose likeliest label is right; None where no right label is known."""
        # If the explained label is not the likeliest, the model is known to be wrong only where that label is right.
        known = {r.key: r for r in self.rows if r.gold is not None and (r.predicted or r.label == r.gold)}
        if not known:
            return None
        return sum(row.predicted and row.label == row.gold for row in known.values()) / len(known)

    @cached_property
    def _values(self) -> dict[tuple[str, str], dict[str, float]]:
        found: dict[tuple[str, str], dict[str, float]] = {}
        for row in self.rows:
            for metric, value in row.values.items():
                if value is not None:
                    found.setdefault((row.method, metric), {})[row.key] = value
        return found

    @cached_property
    def _p_values(self) -> dict[tuple[str, str], float]:
        """(method, metric) -> p of a paired test against the yardstick, corrected for all of them together."""
        differences: dict[tuple[str, str], list[float]] = {}
        for (method, metric), values in self._values.items():
            yard = self._values.get((YARDSTICK, metric), {})
            shared = [values[key] - yard[key] for key in values if key in yard]
            if method != YARDSTICK and len(shared) >= FEWEST_TESTED:
                differences[method, metric] = shared
        # Of so many flips, the smallest p is still below 0.005 after the correction for all of them.
        flips = max(FLIPS, 200 * len(differences))
        return dict(zip(differences, holm([paired(each, flips=flips) for each in differences.values()]), strict=True))

    def _spread(self, method: str, metric: str) -> float:
        draws = [row.draws[metric] for row in self.rows if row.method == method and metric in row.draws]
        orders = np.array([[np.nan if value is None else value for value in each] for each in draws], dtype=np.float64)
        orders = orders[~np.isnan(orders).any(1)] if len(orders) else orders
        return float(orders.mean(0).std(ddof=1)) if len(orders) else 0.0

    def standings(self, metric: str) -> list[Standing]:
        """The methods by this metric, the best first; methods for which it is not defined are left out."""
        if metric not in self.metrics:
            raise InputError(f"no row has a value of {metric!r}; there are {', '.join(self.metrics) or 'none'}")
        better = self.settings["metrics"][metric]["better"]
        yard = self._values.get((YARDSTICK, metric), {})
        made = []
        for method in self.methods:
            values = self._values.get((method, metric), {})
            if not values:
                continue
            low, high = interval(list(values.values()))
            shared = [values[key] - yard[key] for key in values if key in yard]
            nothing = float("nan")
            apart = (nothing, nothing, nothing)
            if shared and method != YARDSTICK:
                least, most = map(float, interval(shared))
                apart = (float(np.mean(shared)), least, most)
            mean, p = float(np.mean(list(values.values()))), self._p_values.get((method, metric), nothing)
            standing = Standing(method, metric, mean, float(low), float(high), len(values), apart, p, better)
            made.append(replace(standing, spread=self._spread(method, metric)))
        sign = -1 if better == "higher" else 1
        return sorted(made, key=lambda one: sign * one.mean)

    def curve(self, method: str, name: str) -> NDArray[np.float64]:
        """(3, share) The mean of a curve over the texts, and the low and high end of its interval."""
        found = [row.curves[name] for row in self.rows if row.method == method]
        if not found:
            raise InputError(f"there is no method {method!r}; there are {', '.join(self.methods)}")
        shares = self.settings["shares"]
        curves = np.array([np.interp(shares, np.linspace(0, 1, len(one)), one) for one in found])
        return np.vstack([curves.mean(0)[None], interval(curves)])

    def table(self) -> str:
        """Plain text: methods by metric, with intervals; * where a method beats the yardstick, † where it loses."""
        blocks = []
        for metric in self.metrics:
            about = self.settings["metrics"][metric]
            standings = self.standings(metric)
            names = [visible(one.method) for one in standings]
            width = max(map(len, names))
            blocks.append(visible(f"{metric} ({about['better']} is better): {about['value']}"))
            for name, one in zip(names, standings, strict=True):
                mark = {"better": "*", "worse": "†", "": " "}[one.verdict]
                blocks.append(
                    f"  {name:<{width}}  {one.mean:8.4f} {mark} [{one.low:.4f}, {one.high:.4f}]  n={one.count}"
                )
                if one.spread:
                    blocks[-1] += f", ±{one.spread:.4f} between random orders"
        blocks.append(
            f"{self.texts} texts; * better and † worse than {YARDSTICK}, p < 0.05 after Holm's correction for all "
            "methods and metrics"
        )
        if self.caution:
            blocks.append(self.caution)
        return "\n".join(blocks) + "\n"

    @property
    def caution(self) -> str:
        """What few texts mean for the numbers; "" where there are enough."""
        if self.texts >= FEWEST_TRUSTED:
            return ""
        tested = "" if self.texts >= FEWEST_TESTED else f" (and on fewer than {FEWEST_TESTED} nothing is tested)"
        return f"{self.texts} texts are few: take {FEWEST_TRUSTED} or more before you compare methods{tested}"

    def to_lines(self) -> str:
        """The lines of the file: the head, then a line for each row."""
        return "\n".join([head(self.settings), *(row.to_json() for row in self.rows)]) + "\n"

    def _columns(self, of: str) -> Columns:
        if of == "rows":
            return {
                "key": texts(row.key for row in self.rows),
                "number": counts(row.number for row in self.rows),
                **{name: texts(getattr(row, name) for row in self.rows) for name in ("method", "label", "gold")},
                "probability": numbers(row.probability for row in self.rows),
                "predicted": flags(row.predicted for row in self.rows),
                **{name: numbers(row.values.get(name) for row in self.rows) for name in self.settings["metrics"]},
                "seconds": numbers(row.seconds for row in self.rows),
            }
        standings = [standing for metric in self.metrics for standing in self.standings(metric)]
        return {
            **{name: texts(getattr(one, name) for one in standings) for name in ("metric", "better", "method")},
            **{name: numbers(getattr(one, name) for one in standings) for name in ("mean", "low", "high")},
            "texts": counts(one.count for one in standings),
            **{
                name: numbers(one.difference[i] for one in standings)
                for i, name in enumerate(("difference", "difference_low", "difference_high"))
            },
            "p": numbers(one.p for one in standings),
            "verdict": texts(one.verdict for one in standings),
        }

    def _body(self) -> dict[str, Any]:
        return {
            "settings": dict(self.settings),
            "texts": self.texts,
            "accuracy": self.accuracy,
            "standings": [
                {name: _finite(value) for name, value in shallow(standing).items()} | {"verdict": standing.verdict}
                for metric in self.metrics
                for standing in self.standings(metric)
            ],
            "curves": {
                method: {name: self.curve(method, name).tolist() for name in self.curve_names}
                for method in self.methods
            },
            "rows": [shallow(row) for row in self.rows],
        }

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        if not isinstance(data.get("settings"), dict) or not isinstance(data["settings"].get("metrics"), dict):
            raise ValueError("it has no metrics in its settings")
        # The head, which is the first line of the file, has no rows.
        return cls(data["settings"], tuple(EvaluationRow.of(row) for row in data.get("rows", ())))

    @property
    def curve_names(self) -> tuple[str, ...]:
        """The curves that every row has."""
        return tuple(self.rows[0].curves) if self.rows else ()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the rows to `path` as JSON lines, whole or not at all."""
        write_atomically(path, encoded(self.to_lines()))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read the rows of a run, finished or not. Raises FileNotFoundError, or DamagedFileError naming the line."""
        return cls.from_lines(text_of(path), str(path))

    @classmethod
    def from_lines(cls, document: str, source: str = "the document") -> Self:
        """The Evaluation in JSON lines; an incomplete last line, left by an interrupted run, is dropped."""
        # Not splitlines: JSON strings may contain other line separators, such as U+2028.
        first, *lines = document.rstrip("\n").split("\n")
        if not first:
            raise DamagedFileError(f"{source} is empty: expected the rows of an evaluation")
        begun = cls.from_json(first, f"line 1 of {source}")
        rows = list(begun.rows)
        for number, line in enumerate(lines, 2):
            try:
                rows.append(EvaluationRow.of(json.loads(line)))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                if number == len(lines) + 1:
                    break
                raise DamagedFileError(
                    f"line {number} of {source} is not a row of an evaluation ({error}): take the line out, or "
                    "evaluate again"
                ) from error
        return cls(begun.settings, tuple(rows))


def head(settings: Mapping[str, Any]) -> str:
    """The first line of the file."""
    return json.dumps({"schema": SCHEMA, "type": Evaluation.type, "settings": dict(settings)}, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and math.isnan(value) else value
