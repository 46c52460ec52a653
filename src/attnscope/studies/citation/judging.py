"""`ats.evaluate_citation`: do scores say what happens when sources are taken away? Two metrics, with intervals.

top-k drop   what a statement's log-probability loses without the k sources with its largest scores, in nats
LDS          the rank correlation of predicted and true log-probability over random sets of sources, -1 to 1
             (linear datamodelling score, arXiv:2303.14186); predicted: the sum of the scores of those that are kept
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.metrics.faithfulness import predicted_ranks
from attnscope.models.default_settings import default_settings
from attnscope.models.loading.load import Model
from attnscope.results.citation.head_weights import HeadWeights
from attnscope.results.plain import plain_lists, plain_numbers
from attnscope.results.statistics import interval
from attnscope.results.tables import Columns, counts, numbers, texts
from attnscope.studies.citation.cite import METHODS
from attnscope.studies.citation.deletion import effects_of
from attnscope.studies.citation.gradients import gradient_scores
from attnscope.studies.citation.halves import halves
from attnscope.studies.citation.heads import heads
from attnscope.studies.citation.setup import Setup, asked_of
from attnscope.studies.citation.surrogate import drawn, surrogate

Floats = NDArray[np.float64]
RANDOM, HALVES = "random", "deletion, halves"
TOP = "deletion's top"


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
    methods: Sequence[str] | None = None,
    masks: Sequence[int] = (32,),
    weights: HeadWeights | str | os.PathLike[str] | None = None,
    top: Sequence[int] = (1, 3, 5),
    sets: int = 32,
    generate: int = 64,
    seed: int = 0,
) -> CitationEvaluation:
    """Compare the methods of `cite`: the surrogate at each of `masks`, the heads alike and by `weights`; and random
    scores.

    questions: {"question": …, "passages": […], "answer": …}; an answer that is left out is generated. Where there is a
               `truth`, the index of the passage with the answer, the metric `found` says whether it has the largest
               score.
    methods:   some of those of `cite`; by default all. With "deletion" comes its search by halves, and the metric
               "deletion's top": how often a statement's largest score is on the source that it loses most without.
    top:       for which k the top-k drop is measured: those that are fewer than the passages. sets: the random sets of
               LDS, each source kept in half of them; they are others than the surrogate's.

    weights:   of the heads, or the file they were saved in.

    A set of passages runs once for all methods; a method's passes are those that it takes by itself, a backward pass
    as one more. Raises InputError for a question that cannot be used, or where there is none.

    >>> passages = ["The castle is in Himeji.", "The river is wide.", "The bridge is old.", "Cats sleep."]
    >>> asked = {"question": "Where is the castle?", "passages": passages, "answer": "In Himeji.", "truth": 0}
    >>> done = ats.evaluate_citation(model, [asked], methods=["heads", "gradient"], masks=(4,), sets=4)
    >>> done.methods
    ('heads, alike', 'gradient', 'random')
    """
    chosen = METHODS if methods is None else (methods,) if isinstance(methods, str) else tuple(methods)
    if unknown := [name for name in chosen if name not in METHODS]:
        raise InputError(f"there is no method {unknown[0]!r}: choose from {', '.join(METHODS)}")
    if weights is not None and "heads" not in chosen:
        raise InputError("weights are of the method 'heads', which is not among the methods: add it, or leave them out")
    fits = tuple(plain_lists(masks)) if "surrogate" in chosen else ()
    top, sets, seed = plain_lists(top), plain_numbers(sets), plain_numbers(seed)
    for name, counts_of in (("masks", fits), ("top", top), ("sets", [sets])):
        if wrong := [one for one in counts_of if type(one) is not int or one < 1]:
            raise InputError(f"{name}: {wrong[0]!r} is no whole number above 0")
    learnt = HeadWeights.load(weights) if isinstance(weights, str | os.PathLike) else weights
    rows: list[CitationRow] = []
    with default_settings():
        for number, asked in enumerate(questions):
            found = asked_of(model, asked, number, generate=generate)
            truth = _truth(asked, found, number)
            scorers = _scorers(chosen, fits, learnt, seed + number)
            rows += _rows(found, scorers, truth, top, unseen(fits, len(found.parts), sets, seed + number))
    if not rows:
        raise InputError("there are no questions: give at least one")
    return CitationEvaluation(tuple(rows))


def _truth(asked: Mapping[str, Any], found: Setup, number: int) -> int | None:
    """The index of the passage with the answer. Raises InputError for one that is not there."""
    truth, count = plain_numbers(asked.get("truth")), len(found.parts)
    if truth is None or (type(truth) is int and 0 <= truth < count):
        return truth
    raise InputError(
        f"the truth of question {number} is {truth!r}: give the index of the passage with the answer, 0 to {count - 1}"
    )


# (statement, source) scores.
Scorer = Callable[[Setup], Floats]


def _scorers(methods: Sequence[str], masks: Sequence[int], weights: HeadWeights | None, seed: int) -> dict[str, Scorer]:
    """What is compared, by the names that it has in the rows."""
    generator = np.random.default_rng([seed, 2])
    found: dict[str, Scorer] = {}
    for name in methods:
        if name == "deletion":
            found |= {name: _effects, HALVES: lambda setup: halves(setup)[0]}
        elif name == "surrogate":
            found |= {f"surrogate {count}": partial(_surrogate, masks=count, seed=seed) for count in masks}
        elif name == "heads":
            learnt = {} if weights is None else {"heads, learnt": partial(heads, weights=weights)}
            found |= learnt | {"heads, alike": partial(heads, weights=None)}
        else:
            found[name] = partial(gradient_scores, name=name)
    found[RANDOM] = lambda setup: generator.random((len(setup.statements), len(setup.parts)))
    return found


def _rows(
    found: Setup, scorers: Mapping[str, Scorer], truth: int | None, top: Sequence[int], kept: Floats
) -> list[CitationRow]:
    """The metrics of every scorer on one question. kept: (set, source) of LDS."""
    true = found.values_without([found.tokens(np.flatnonzero(row == 0).tolist()) for row in kept]).T
    rows = []
    exact = _effects(found.counted_alone()) if _effects in scorers.values() else None
    for name, scores_of in scorers.items():
        alone = found.counted_alone()
        scores = scores_of(alone)
        values = _values(found, scores, kept, true, top, truth)
        if exact is not None:
            values[TOP] = float(
                np.mean([_on_top(row, int(best.argmax())) for row, best in zip(scores, exact, strict=True)])
            )
        rows.append(CitationRow(found.question, name, values, alone.passes))
    return rows


def unseen(masks: Sequence[int], sources: int, sets: int, seed: int) -> Floats:
    """(set, source) Random sets of sources for LDS, none of which a surrogate of `masks` masks is fitted to.

    masks: none where no surrogate is judged. Raises InputError where the masks, or the sources, leave too few of them.
    """
    fitted = {row.tobytes() for row in drawn(np.random.default_rng(seed), max(masks, default=0), sources)}
    tried = drawn(np.random.default_rng([seed, 1]), 100 * sets, sources)
    others = [row for row in tried if row.tobytes() not in fitted][:sets]
    # A rank correlation over one or two sets says nothing.
    if len(others) < sets or len({row.tobytes() for row in others}) < min(sets, 3):
        if not masks:
            raise InputError(f"{sources} passages have {2**sources} sets, too few for LDS: give two or more")
        raise InputError(
            f"masks={max(masks)} takes nearly all of the {2**sources} sets that {sources} passages have, so that none "
            "are left to judge the surrogate by: give fewer masks, or more passages"
        )
    return np.stack(others)


def _effects(found: Setup) -> Floats:
    return effects_of(found, found.parts)


def _surrogate(found: Setup, masks: int, seed: int) -> Floats:
    return surrogate(found, masks, None, seed).scores


def _values(
    found: Setup, scores: Floats, kept: Floats, true: Floats, top: Sequence[int], truth: int | None
) -> dict[str, float]:
    """The metrics of one method on one question."""
    values = {"LDS": lds(scores, kept, true)}
    for k in top:
        if k < len(found.parts):
            values[f"top-{k} drop"] = top_drop(found, scores, k)
    if truth is not None:
        values["found"] = _on_top(scores.sum(0), truth)
    return values


def _on_top(scores: Floats, source: int) -> float:
    """1 where the source has the largest score, 0 where it has not; of several that have it, an equal share."""
    largest = scores == scores.max()
    return float(largest[source] / largest.sum())


def lds(scores: Floats, kept: Floats, true: Floats) -> float:
    """The mean over statements of the rank correlation of Σ scores of what is kept with the true values.

    scores: (statement, source); kept: (set, source); true: (statement, set). NaN where no statement's values differ. A
    statement whose scores are all equal predicts nothing and counts 0.
    """
    by_statement = [predicted_ranks(row, kept, values) for row, values in zip(scores, true, strict=True)]
    known = [one for one in by_statement if not np.isnan(one)]
    return float(np.mean(known)) if known else float("nan")


def top_drop(found: Setup, scores: Floats, k: int) -> float:
    """The mean over statements of what each loses without its k sources with the largest scores, in nats."""
    removed = [found.tokens(np.argsort(-row, kind="stable")[:k].tolist()) for row in scores]
    whole, *values = found.values_without([frozenset(), *removed])
    return float((whole - np.diagonal(values)).mean())
