"""`ats.evaluate_citation`: do scores say what happens when sources are taken away? Two metrics, with intervals.

top-k drop   what a statement's log-probability loses without the k sources with its largest scores, in nats
LDS          the rank correlation of predicted and true log-probability over random sets of sources, -1 to 1
             (linear datamodelling score, arXiv:2303.14186); predicted: the sum of the scores of those that are kept
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.models.default_settings import default_settings
from attnscope.models.loading.load import Model
from attnscope.results.citation.head_weights import HeadWeights
from attnscope.results.statistics import interval, spearman
from attnscope.results.tables import Columns, counts, numbers, texts
from attnscope.studies.citation.deletion import effects_of
from attnscope.studies.citation.heads import heads
from attnscope.studies.citation.setup import Setup, setup
from attnscope.studies.citation.surrogate import drawn, surrogate

Floats = NDArray[np.float64]
RANDOM = "random"


@dataclass(frozen=True)
class CitationRow:
    """One method on one question: its metrics by name, the mean over statements; and how many passes it took."""

    question: str
    method: str
    values: Mapping[str, float]
    passes: int


@dataclass(frozen=True)
class CitationEvaluation:
    """The rows of all questions and methods."""

    rows: tuple[CitationRow, ...]

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods, in the order in which they were asked."""
        return tuple(dict.fromkeys(row.method for row in self.rows))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.values))

    def mean(self, method: str, metric: str) -> tuple[float, float, float]:
        """The mean over questions, and the ends of its 95 % bootstrap interval; NaN where no question has a value."""
        values = [row.values[metric] for row in self.rows if row.method == method and metric in row.values]
        known = [value for value in values if not np.isnan(value)]
        low, high = interval(known)
        return (float(np.mean(known)) if known else float("nan")), float(low), float(high)

    def table(self) -> str:
        """Plain text: a row for each method, with intervals."""
        width = max(8, *(len(method) for method in self.methods))
        lines = [" " * width + "".join(f"  {name:>24}" for name in self.metrics) + "  passes"]
        for method in self.methods:
            cells = "".join("  {:>24}".format("{:.2f} ({:.2f} to {:.2f})".format(*self.mean(method, name)))
                            for name in self.metrics)  # fmt: skip
            passes = np.mean([row.passes for row in self.rows if row.method == method])
            lines.append(f"{method:<{width}}{cells}  {passes:6.1f}")
        return "\n".join(lines) + "\n"

    def columns(self) -> Columns:
        """A row for each question and method."""
        return {
            "question": texts(row.question for row in self.rows),
            "method": texts(row.method for row in self.rows),
            **{name: numbers(row.values.get(name) for row in self.rows) for name in self.metrics},
            "passes": counts(row.passes for row in self.rows),
        }


def evaluate_citation(
    model: Model,
    questions: Iterable[Mapping[str, Any]],
    *,
    masks: Sequence[int] = (32,),
    weights: HeadWeights | None = None,
    top: Sequence[int] = (1, 3, 5),
    sets: int = 32,
    generate: int = 64,
    seed: int = 0,
) -> CitationEvaluation:
    """Compare deletion, the surrogate at each of `masks`, the heads alike and by `weights`, and random scores.

    questions: {"question": …, "passages": […], "answer": …}; an answer that is left out is generated. Where there is a
               `truth`, the index of the passage with the answer, the metric `found` says whether it has the largest
               score.
    top:       for which k the top-k drop is measured: those that are fewer than the passages. sets: the random sets of
               LDS, each source kept in half of them; they are others than the surrogate's.

    Raises InputError for a question that cannot be used, or where there is none.
    """
    rows: list[CitationRow] = []
    with default_settings():
        for number, asked in enumerate(questions):
            found = setup(
                model, asked["question"], asked["passages"], asked.get("answer"), generate=generate, template=None,
                segments=None, unit=None, within=None,
            )  # fmt: skip
            rows += _rows(found, asked.get("truth"), masks, weights, top, sets, seed + number)
    if not rows:
        raise InputError("there are no questions: give at least one")
    return CitationEvaluation(tuple(rows))


def _rows(
    found: Setup,
    truth: int | None,
    masks: Sequence[int],
    weights: HeadWeights | None,
    top: Sequence[int],
    sets: int,
    seed: int,
) -> list[CitationRow]:
    generator = np.random.default_rng([seed, 2])
    kept = unseen(masks, len(found.parts), sets, seed)
    true = found.values_without([_without(found, np.flatnonzero(row == 0)) for row in kept]).T
    (whole,) = found.values_without([frozenset()])
    scorers: dict[str, Callable[[], Floats]] = {"deletion": lambda: effects_of(found, found.parts, whole)}
    for count in masks:
        scorers[f"surrogate {count}"] = partial(_surrogate, found, count, seed)
    if weights is not None:
        scorers["heads, learnt"] = lambda: heads(found, weights)
    scorers["heads, alike"] = lambda: heads(found, None)
    scorers[RANDOM] = lambda: generator.random((len(found.statements), len(found.parts)))
    scored: dict[str, tuple[Floats, int]] = {}
    for name, scores_of in scorers.items():
        before = found.passes
        scores = scores_of()
        scored[name] = scores, found.passes - before
    return [
        CitationRow(found.question, name, _values(found, whole, scores, kept, true, top, truth), passes)
        for name, (scores, passes) in scored.items()
    ]


def unseen(masks: Sequence[int], sources: int, sets: int, seed: int) -> Floats:
    """(set, source) Random sets of sources for LDS, none of which a surrogate of `masks` masks is fitted to.

    Raises InputError where the masks leave too few of them.
    """
    fitted = {row.tobytes() for row in drawn(np.random.default_rng(seed), max(masks, default=0), sources)}
    tried = drawn(np.random.default_rng([seed, 1]), 100 * sets, sources)
    others = [row for row in tried if row.tobytes() not in fitted][:sets]
    # A rank correlation over one or two sets says nothing.
    if len(others) < sets or len({row.tobytes() for row in others}) < min(sets, 3):
        raise InputError(
            f"masks={max(masks)} takes nearly all of the {2**sources} sets that {sources} passages have, so that none "
            "are left to judge the surrogate by: give fewer masks, or more passages"
        )
    return np.stack(others)


def _surrogate(found: Setup, masks: int, seed: int) -> Floats:
    return surrogate(found, masks, None, seed).scores


def _values(
    found: Setup, whole: Floats, scores: Floats, kept: Floats, true: Floats, top: Sequence[int], truth: int | None
) -> dict[str, float]:
    """The metrics of one method on one question."""
    values = {"LDS": lds(scores, kept, true)}
    for k in top:
        if k < len(found.parts):
            values[f"top-{k} drop"] = top_drop(found, whole, scores, k)
    if truth is not None:
        values["found"] = float(np.argmax(scores.sum(0)) == truth)
    return values


def lds(scores: Floats, kept: Floats, true: Floats) -> float:
    """The mean over statements of the rank correlation of Σ scores of what is kept with the true values.

    scores: (statement, source); kept: (set, source); true: (statement, set). NaN where no statement's values differ. A
    statement whose scores are all equal predicts nothing and counts 0.
    """
    found = []
    for row, values in zip(scores, true, strict=True):
        if np.ptp(values) > 0:
            found.append(float(np.nan_to_num(spearman(kept @ row, values))))
    return float(np.mean(found)) if found else float("nan")


def top_drop(found: Setup, whole: Floats, scores: Floats, k: int) -> float:
    """The mean over statements of what each loses without its k sources with the largest scores, in nats."""
    removed = [_without(found, np.argsort(-row, kind="stable")[:k]) for row in scores]
    values = found.values_without(removed)
    return float((whole - np.diagonal(values)).mean())


def _without(found: Setup, sources: NDArray[np.intp]) -> frozenset[int]:
    """The tokens of some sources."""
    return frozenset[int]().union(*(found.parts[int(i)].tokens for i in sources))
