"""Two explanations opposite each other, word by word: a clean and an attacked prompt, two models, before and after.

Plain frozen data, numpy only, like the two Attributions that it holds. The JSON form is documented in docs/schema.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import NoneType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from attnscope.results.attribution import Attribution
from attnscope.results.base import Document
from attnscope.results.files.reading import NUMBER, Kinds, checked_items, part, shallow
from attnscope.results.tables import Columns, counts, joined, numbers, texts
from attnscope.text.alignment import Opposite, align_words


@dataclass(frozen=True)
class ComparedSide:
    """One text as a model sees it.

    name:          such as "clean".
    result:        the scores of its words.
    probabilities: the probability of each label, in the order given; empty without labels.
    """

    name: str
    result: Attribution
    probabilities: tuple[tuple[str, float], ...] = ()

    @property
    def prediction(self) -> str | None:
        """The likeliest label."""
        return max(self.probabilities, key=lambda pair: pair[1])[0] if self.probabilities else None

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """(word,) Each word's share of the sum of all magnitudes; the shares add up to 1."""
        sizes = np.abs(self.result.scores)
        total = float(sizes.sum())
        return sizes / total if total > 0 else np.full(len(sizes), 1 / max(1, len(sizes)))

    @cached_property
    def ranks(self) -> tuple[int, ...]:
        """(word,) Each word's rank by the magnitude of its score, 1 the strongest; equal scores share the best rank."""
        sizes = np.abs(self.result.scores)
        ordered = np.sort(-sizes)
        return tuple(int(np.searchsorted(ordered, -size)) + 1 for size in sizes)


@dataclass(frozen=True, slots=True)
class WordPair:
    """Two words opposite each other, by their indices in the two results; None is a gap.

    edit:        "same", "changed", "replaced", "inserted" or "deleted".
    change:      right score minus left score; a gap counts as 0.
    rank_change: ranks gained (positive) or lost; None beside a gap.
    restores:    for an edit: how far the probability of the left side's prediction rises on the right when this edit
                 alone is undone. None where it was not measured.
    """

    left: int | None
    right: int | None
    edit: str
    change: float
    rank_change: int | None
    restores: float | None = None


@dataclass(frozen=True)
class Comparison(Document):
    """Left and right, and their words opposite each other.

    expected: the right label, if known. tags: where the pair comes from, such as {"attack": …, "task": …}.

    >>> labels = [" positive", " negative"]
    >>> pair = ats.compare(model, "Is it positive? It is", "Iis it positve? It is", labels=labels)
    >>> [(edit.edit, round(edit.restores, 3)) for edit in pair.edits]
    [('changed', 0.054), ('changed', 0.091)]
    """

    type: ClassVar[str] = "comparison"
    tables: ClassVar[tuple[str, ...]] = ("pairs",)

    left: ComparedSide
    right: ComparedSide
    pairs: tuple[WordPair, ...]
    expected: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def flipped(self) -> bool:
        """Whether the two predictions differ."""
        return self.left.prediction != self.right.prediction

    def right_or_wrong(self, side: ComparedSide) -> bool | None:
        """Whether a side's prediction is right; None where the prediction or the right label is not known."""
        if self.expected is None or side.prediction is None:
            return None
        return side.prediction == self.expected

    @property
    def edits(self) -> tuple[WordPair, ...]:
        """The pairs that are not the same word."""
        return tuple(pair for pair in self.pairs if pair.edit != "same")

    @property
    def culprits(self) -> tuple[WordPair, ...]:
        """The edits that, undone one at a time, bring the left prediction closer, the strongest first."""
        measured = [pair for pair in self.edits if pair.restores is not None and pair.restores > 0]
        return tuple(sorted(measured, key=lambda pair: -(pair.restores or 0)))

    @property
    def moved(self) -> float:
        """How much attention moved to the attacked words: their share of all scores on the right minus that of their
        originals on the left, -1 to 1. What they gain, the other words of the text lose."""
        after = sum(float(self.right.shares[pair.right]) for pair in self.edits if pair.right is not None)
        before = sum(float(self.left.shares[pair.left]) for pair in self.edits if pair.left is not None)
        return after - before

    def __repr__(self) -> str:
        changed = f"{len(self.edits)} of {len(self.pairs)} pairs of words differ"
        return f"<Comparison {self.left.prediction} → {self.right.prediction}: {changed}, moved {self.moved:+.1%}>"

    def _columns(self, of: str) -> Columns:  # noqa: ARG002 -- there is one table
        table: Columns = {"edit": texts(pair.edit for pair in self.pairs)}
        sides = (
            ("left", self.left, [pair.left for pair in self.pairs]),
            ("right", self.right, [pair.right for pair in self.pairs]),
        )
        for name, side, places in sides:
            words = [None if i is None else side.result.words[i] for i in places]
            table[name] = texts(None if word is None else word.text for word in words)
            table[f"{name}_score"] = numbers(None if word is None else word.score for word in words)
            table[f"{name}_rank"] = numbers(None if i is None else side.ranks[i] for i in places)
        table["change"] = numbers(pair.change for pair in self.pairs)
        table["rank_change"] = numbers(pair.rank_change for pair in self.pairs)
        table["restores"] = numbers(pair.restores for pair in self.pairs)
        return table

    def _body(self) -> dict[str, Any]:
        return {
            "left": self._side(self.left),
            "right": self._side(self.right),
            "pairs": [shallow(pair) for pair in self.pairs],
            "expected": self.expected,
            "tags": dict(self.tags),
            "flipped": self.flipped,
            "moved": self.moved,
        }

    def _side(self, side: ComparedSide) -> dict[str, Any]:
        return {
            "name": side.name,
            "result": side.result.to_dict(),
            "probabilities": [list(pair) for pair in side.probabilities],
            "prediction": side.prediction,
            "correct": self.right_or_wrong(side),
            "ranks": list(side.ranks),
        }

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        left, right = (
            ComparedSide(
                str(side["name"]),
                Attribution.read(side["result"]),
                tuple((str(label), float(p)) for label, p in side["probabilities"]),
            )
            for side in (data["left"], data["right"])
        )
        pairs = tuple(WordPair(**pair) for pair in checked_items(data["pairs"], _PAIR_FIELDS, "pair"))
        for side, places in ((left, [p.left for p in pairs]), (right, [p.right for p in pairs])):
            if [i for i in places if i is not None] != list(range(len(side.result.words))):
                raise ValueError("its pairs do not name every word once, in order")
        return cls(left, right, pairs, data["expected"], {str(k): str(v) for k, v in data["tags"].items()})


_PAIR_FIELDS: dict[str, Kinds] = {
    "left": (int, NoneType), "right": (int, NoneType), "edit": (str,), "change": NUMBER,
    "rank_change": (int, NoneType), "restores": (*NUMBER, NoneType),
}  # fmt: skip


def paired_words(
    left: ComparedSide, right: ComparedSide, restores: Mapping[int, float] | None = None
) -> tuple[WordPair, ...]:
    """The words of both sides opposite each other; `restores` is keyed by the index of the pair."""
    found = []
    for number, one in enumerate(opposites(left.result, right.result)):
        scores = [
            0.0 if i is None else float(side.result.scores[i]) for side, i in ((left, one.left), (right, one.right))
        ]
        ranks = None
        if one.left is not None and one.right is not None:
            ranks = left.ranks[one.left] - right.ranks[one.right]
        found.append(
            WordPair(one.left, one.right, one.kind, scores[1] - scores[0], ranks, (restores or {}).get(number))
        )
    return tuple(found)


def opposites(left: Attribution, right: Attribution) -> list[Opposite]:
    """The words of two results opposite each other."""
    return align_words([w.text for w in left.words], [w.text for w in right.words])


@dataclass(frozen=True)
class Summary:
    """Many comparisons of one kind.

    before, after: accuracy on the left and on the right; None where no right label is known.
    flips:   the share of pairs whose predictions differ.
    moved:   the mean of `Comparison.moved`.
    """

    name: str
    count: int
    before: float | None
    after: float | None
    flips: float
    moved: float


@dataclass(frozen=True)
class Comparisons(Document):
    """Many pairs: the data behind a report.

    >>> prompts = [("Is it good?", "Is it goood?"), ("Is it nice?", "Is it nicee?")]
    >>> pairs = [ats.compare(model, *pair, labels=[" yes", " no"], tags={"attack": "typo"}) for pair in prompts]
    >>> [(row.name, row.count, row.flips) for row in ats.Comparisons(tuple(pairs)).summaries()]
    [('typo', 2, 0.0), ('all', 2, 0.0)]
    """

    type: ClassVar[str] = "comparisons"
    tables: ClassVar[tuple[str, ...]] = ("pairs", "attack", "task")

    pairs: tuple[Comparison, ...]

    def summaries(self, tag: str = "attack") -> list[Summary]:
        """One for each value of a tag, in the order they come, and the last for all."""
        names = list(dict.fromkeys(pair.tags.get(tag, "—") for pair in self.pairs))
        groups = [(name, [p for p in self.pairs if p.tags.get(tag, "—") == name]) for name in names]
        return [_summary(name, group) for name, group in (*groups, ("all", list(self.pairs)))]

    def _columns(self, of: str) -> Columns:
        if of != "pairs":
            return self._summary_columns(of)
        rows = []
        for number, pair in enumerate(self.pairs):
            table = pair.columns()
            size = len(table["edit"])
            tags = {tag: texts([pair.tags.get(tag)] * size) for tag in ("task", "attack")}
            rows.append({"pair": counts([number] * size), **tags, **table})
        return joined(rows)

    def _summary_columns(self, tag: str) -> Columns:
        summaries = self.summaries(tag)
        return {
            tag: texts(summary.name for summary in summaries),
            "pairs": counts(summary.count for summary in summaries),
            **{
                name: numbers(getattr(summary, name) for summary in summaries)
                for name in ("before", "after", "flips", "moved")
            },
        }

    def _body(self) -> dict[str, Any]:
        return {
            "summaries": {tag: [shallow(summary) for summary in self.summaries(tag)] for tag in ("attack", "task")},
            "pairs": [pair.to_dict() for pair in self.pairs],
        }

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        pairs = []
        for i, pair in enumerate(data["pairs"]):
            with part(f"pair {i}"):
                pairs.append(Comparison.read(pair))
        return cls(tuple(pairs))


def _summary(name: str, pairs: Sequence[Comparison]) -> Summary:
    def accuracy(verdicts: list[bool | None]) -> float | None:
        known = [v for v in verdicts if v is not None]
        return sum(known) / len(known) if known else None

    return Summary(
        name,
        len(pairs),
        accuracy([p.right_or_wrong(p.left) for p in pairs]),
        accuracy([p.right_or_wrong(p.right) for p in pairs]),
        sum(p.flipped for p in pairs) / max(1, len(pairs)),
        float(np.mean([p.moved for p in pairs])) if pairs else 0.0,
    )
