"""Which sources each statement of an answer relied on, and how likely each was without any of them."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import NoneType
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from attnscope.results.base import Document
from attnscope.results.files.reading import NUMBER, Kinds, checked, checked_items, is_a
from attnscope.results.tables import Columns, counts, flags, numbers, texts
from attnscope.text.visible import visible

LEVELS = ("source", "sentence", "word")
CitationMethod = Literal["deletion", "surrogate", "heads", "gradient", "mask_gradient", "gim"]
# A statement that all sources together make less than twice as likely is cited to none of them.
LEAST_GAIN = math.log(2)
# A source is cited for a statement where its score is at least this share of the statement's largest.
CITED_SHARE = 0.5
# A line of plain text shows so many characters of a source.
_SHOWN = 60


@dataclass(frozen=True)
class Statement:
    """A sentence of the answer, `answer[start:end]`.

    value: its log-probability, in nats, with all sources; without: with none of them. Both given what the answer says
    before it.
    """

    text: str
    start: int
    end: int
    value: float
    without: float

    @property
    def gain(self) -> float:
        """What all sources together add to its log-probability."""
        return self.value - self.without


@dataclass(frozen=True)
class Source:
    """A passage, a turn of a chat or another part of the prompt; or a sentence or word of one that was opened.

    name: its id or number, or the turn's name. level: one of LEVELS. parent: the index of the source that it is a part
    of; start: where it begins in that one's text.
    """

    name: str
    text: str
    title: str = ""
    level: str = "source"
    parent: int | None = None
    start: int = 0


@dataclass(frozen=True, eq=False)
class Citation(Document):
    """A matrix of statements × sources.

    question:   what was asked; of a chat, its last message before the answer.
    scores:     (statement, source): how much a source supports a statement, in `unit`; below 0 it speaks against it.
    low, high:  (statement, source): the ends of 95 % intervals where scores are estimated; None where they are not.
    effects:    (statement, source): what a statement's log-probability loses without the source, in nats; NaN where it
                was not measured.
    method, options: how the scores were made. unit: "nats", "logits", "share of attention" or "nats per unit of
                embedding".
    passes:     how many times the model ran, a backward pass as one more, without the answer's generation.
    narrow:     whether the intervals are as narrow as was asked; None where nothing was asked.

    >>> passages = ["The castle is in Himeji.", "The river is wide."]
    >>> found = ats.cite(model, "Where is the castle?", passages, "In Himeji.", depth="source")
    >>> found.scores.round(1)
    array([[23.7, -0.6]])
    """

    type: ClassVar[str] = "citation"
    tables: ClassVar[tuple[str, ...]] = ("scores", "statements")

    question: str
    answer: str
    statements: tuple[Statement, ...]
    sources: tuple[Source, ...]
    scores: NDArray[np.float64]
    effects: NDArray[np.float64]
    method: str
    unit: str
    passes: int
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    narrow: bool | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The answer's log-probability with all sources, in nats."""
        return sum(statement.value for statement in self.statements)

    @property
    def without(self) -> float:
        """The answer's log-probability without any source: what the model says from memory."""
        return sum(statement.without for statement in self.statements)

    @property
    def whole(self) -> list[int]:
        """The indices of the sources that are not parts of others."""
        return [i for i, source in enumerate(self.sources) if source.parent is None]

    def parts(self, source: int) -> list[int]:
        """The indices of the parts of a source; empty where it was not opened."""
        return [i for i, one in enumerate(self.sources) if one.parent == source]

    def cited(self, statement: int) -> list[int]:
        """The sources that a statement relies on, the largest score first; empty: none of these.

        None is cited where all sources together make the statement less than twice as likely (LEAST_GAIN); else those
        whose score is at least half of the largest (CITED_SHARE).
        """
        if self.statements[statement].gain < LEAST_GAIN:
            return []
        return cited_among(self.scores[statement], self.whole)

    def table(self) -> str:
        """Plain text: the statements with what they rely on, and the sources below."""
        lines = []
        for k, statement in enumerate(self.statements):
            marks = "".join(f"[{visible(self.sources[i].name)}]" for i in self.cited(k)) or "[none of these]"
            lines.append(f"{visible(statement.text.strip())} {marks}")
        lines.append("")
        rows = [(self._label(i), self.scores[:, i].sum()) for i in self.whole]
        width = max(6, *(len(label) for label, _ in rows))
        lines.append(f"{'source':<{width}}  {visible(self.unit)}")
        lines += [f"{label:<{width}}  {score:8.3f}" for label, score in sorted(rows, key=lambda row: -row[1])]
        lines.append(
            f"log-probability of the answer: {self.value:.2f} with all sources, {self.without:.2f} with none of them; "
            f"{self.passes} passes"
        )
        return "\n".join(lines) + "\n"

    def _label(self, source: int) -> str:
        """A source's name and the beginning of its title or text, on one line."""
        one = self.sources[source]
        said = visible(" ".join((one.title or one.text).split()))
        return f"[{visible(one.name)}] {said if len(said) <= _SHOWN else said[: _SHOWN - 1] + '…'}"

    def _columns(self, of: str) -> Columns:
        if of == "statements":
            names = [[self.sources[i].name for i in self.cited(k)] for k in range(len(self.statements))]
            return {
                "statement": counts(range(1, len(self.statements) + 1)),
                "text": texts(one.text for one in self.statements),
                "value": numbers(one.value for one in self.statements),
                "without": numbers(one.without for one in self.statements),
                "cited": texts("; ".join(found) for found in names),
            }
        pairs = [(k, i) for k in range(len(self.statements)) for i in range(len(self.sources))]
        cited = [set(self.cited(k)) for k in range(len(self.statements))]
        ends = {"low": self.low, "high": self.high}
        return {
            "statement": counts(k + 1 for k, _ in pairs),
            "said": texts(self.statements[k].text for k, _ in pairs),
            "source": texts(self.sources[i].name for _, i in pairs),
            "title": texts(self.sources[i].title for _, i in pairs),
            "level": texts(self.sources[i].level for _, i in pairs),
            "text": texts(self.sources[i].text for _, i in pairs),
            "score": numbers(self.scores[pair] for pair in pairs),
            **{name: numbers(None if end is None else end[pair] for pair in pairs) for name, end in ends.items()},
            "effect": numbers(self.effects[pair] for pair in pairs),
            "cited": flags(i in cited[k] for k, i in pairs),
        }

    def _body(self) -> dict[str, Any]:
        return {
            "question": self.question,
            "answer": self.answer,
            "method": self.method,
            "unit": self.unit,
            "options": dict(self.options),
            "passes": self.passes,
            "narrow": self.narrow,
            "statements": [{**asdict(one), "cited": self.cited(k)} for k, one in enumerate(self.statements)],
            "sources": [asdict(one) for one in self.sources],
            "scores": self.scores.tolist(),
            "low": None if self.low is None else self.low.tolist(),
            "high": None if self.high is None else self.high.tolist(),
            "effects": [[None if np.isnan(x) else float(x) for x in row] for row in self.effects],
            "provenance": dict(self.provenance),
        }

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        body = checked(data, _BODY, "the citation")
        statements = tuple(Statement(**one) for one in checked_items(body["statements"], _STATEMENT, "statement"))
        sources = tuple(Source(**one) for one in checked_items(body["sources"], _SOURCE, "source"))
        for i, source in enumerate(sources):
            if source.parent is not None and not 0 <= source.parent < i:
                raise ValueError(f"source {i} is a part of source {source.parent}, which does not come before it")
        shape = len(statements), len(sources)
        plain: dict[str, Any] = {
            name: body[name]
            for name in ("question", "answer", "method", "unit", "options", "passes", "narrow", "provenance")
        }
        matrices: dict[str, Any] = {name: _matrix(body[name], shape, name) for name in ("scores", "effects")}
        for name in ("low", "high"):
            matrices[name] = None if body[name] is None else _matrix(body[name], shape, name)
        return cls(statements=statements, sources=sources, **matrices, **plain)

    def __repr__(self) -> str:
        return f"<Citation of {len(self.statements)} statements, {len(self.whole)} sources>\n{self.table()}"


def cited_among(scores: NDArray[np.float64], candidates: list[int]) -> list[int]:
    """Of the candidates those with at least CITED_SHARE of the largest score, if that is above 0; the largest first."""
    if not candidates or (largest := max(scores[i] for i in candidates)) <= 0:
        return []
    found = [i for i in candidates if scores[i] >= CITED_SHARE * largest]
    return sorted(found, key=lambda i: -scores[i])


def _matrix(rows: Any, shape: tuple[int, int], name: str) -> NDArray[np.float64]:
    kinds: Kinds = (*NUMBER, NoneType) if name == "effects" else NUMBER
    right = isinstance(rows, list) and len(rows) == shape[0]
    if not right or not all(
        isinstance(row, list) and len(row) == shape[1] and all(is_a(x, kinds) for x in row) for row in rows
    ):
        raise ValueError(f"{name} is no matrix of {shape[0]} statements × {shape[1]} sources")
    return np.array([[np.nan if x is None else x for x in row] for row in rows], dtype=np.float64).reshape(shape)


_BODY: dict[str, Kinds] = {
    "question": (str,), "answer": (str,), "method": (str,), "unit": (str,), "options": (dict,), "passes": (int,),
    "narrow": (bool, NoneType), "statements": (list,), "sources": (list,), "scores": (list,), "effects": (list,),
    "low": (list, NoneType), "high": (list, NoneType), "provenance": (dict,),
}  # fmt: skip
_STATEMENT: dict[str, Kinds] = {"text": (str,), "start": (int,), "end": (int,), "value": NUMBER, "without": NUMBER}
_SOURCE: dict[str, Kinds] = {
    "name": (str,), "text": (str,), "title": (str,), "level": (str,), "parent": (int, NoneType), "start": (int,),
}  # fmt: skip
