"""Whether several methods agree about a text: rank correlations and shared top words.

numpy only: it compares results, wherever they were made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.results.attribution import Attribution
from attnscope.results.base import Document
from attnscope.results.files.reading import part, shallow
from attnscope.results.statistics import spearman
from attnscope.results.tables import Columns, numbers, texts
from attnscope.text.visible import visible


@dataclass(frozen=True, eq=False)
class Agreement(Document):
    """How far each pair of results agrees.

    names:    the results' names: the method, numbered where it comes more than once.
    rank:     (result, result), Spearman's rank correlation of the words' scores, -1 to 1; 1 on the diagonal; NaN where
              a result scores all words the same and so has no ranks.
    overlap:  (result, result), the share of the `top` strongest words that both have in common, 0 to 1.
    top:      how many words count as the strongest.
    by:       what words are ranked by, "magnitude" or "score".

    >>> a = ats.Attribution.of("a black cat", ["a", "black", "cat"], [0.1, 0.5, 0.9], method="ours")
    >>> b = ats.Attribution.of("a black cat", a.words, [0.2, 0.9, 0.7], method="theirs")
    >>> float(ats.agreement([a, b]).rank[0, 1])
    0.5
    """

    type: ClassVar[str] = "agreement"
    tables: ClassVar[tuple[str, ...]] = ("pairs",)

    results: tuple[Attribution, ...]
    names: tuple[str, ...]
    rank: NDArray[np.float64]
    overlap: NDArray[np.float64]
    top: int
    by: str

    def table(self) -> str:
        """Plain text: rank correlations above the diagonal, overlaps of the top words below it."""
        names = [visible(name) for name in self.names]
        width = max(6, *map(len, names))
        lines = [" " * width + "".join(f"  {name:>{width}}" for name in names)]
        for i, name in enumerate(names):
            cells = [
                "·" if i == j else _cell(self.rank[i, j]) if j > i else f"{self.overlap[i, j]:.0%}"
                for j in range(len(names))
            ]
            lines.append(f"{name:<{width}}" + "".join(f"  {cell:>{width}}" for cell in cells))
        lines.append(f"above: rank correlation of {visible(self.by)}s; below: shared words of the top {self.top}")
        return "\n".join(lines) + "\n"

    def _columns(self, of: str) -> Columns:  # noqa: ARG002 -- there is one table
        pairs = list(combinations(range(len(self.names)), 2))
        return {
            "one": texts(self.names[i] for i, _ in pairs),
            "other": texts(self.names[j] for _, j in pairs),
            "rank": numbers(self.rank[pair] for pair in pairs),
            "overlap": numbers(self.overlap[pair] for pair in pairs),
        }

    def _body(self) -> dict[str, Any]:
        return {
            "names": list(self.names),
            "rank": [[None if np.isnan(x) else float(x) for x in row] for row in self.rank],
            "overlap": self.overlap.tolist(),
            "top": self.top,
            "by": self.by,
            "results": [result.to_dict() for result in self.results],
        }

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        # The matrices are computed again.
        results = []
        for i, result in enumerate(data["results"]):
            with part(f"result {i}"):
                results.append(Attribution.read(result))
        return cls(**shallow(agreement(results, top=data["top"], by=data["by"])))

    def __repr__(self) -> str:
        return f"<Agreement of {', '.join(self.names)}>\n{self.table()}"


def agreement(results: Sequence[Attribution], *, top: int | None = None, by: str = "magnitude") -> Agreement:
    """Compare results on the same words of one text.

    top: how many of the strongest words are compared; by default a quarter of them, at least one.
    by:  "magnitude" ranks by |score|, so that signed and unsigned methods stand side by side; "score" keeps the sign.

    Equal scores share the mean of their ranks (Spearman); of words tied at the edge of the top, the first ones count.
    Raises InputError for fewer than two results, or results on different words.

    >>> text = "Paris is in France. Tokyo is in"
    >>> asked = {"target": " Japan", "against": " France"}
    >>> words = [ats.explain(model, text, name, **asked) for name in ("gradient", "deletion", "mask_gradient")]
    >>> print(ats.agreement(words).table())
                        gradient       deletion  mask_gradient
    gradient                   ·          -0.02           0.57
    deletion                 50%              ·          -0.10
    mask_gradient             0%             0%              ·
    above: rank correlation of magnitudes; below: shared words of the top 2
    """
    given = tuple(results)
    if len(given) < 2:
        raise InputError(f"agreement compares results, and {len(given)} was given: give two or more")
    if by not in ("magnitude", "score"):
        raise InputError(f"by={by!r}: choose 'magnitude' or 'score'")
    spans = [tuple((w.start, w.end) for w in one.words) for one in given]
    for one, span in zip(given, spans, strict=True):
        if one.text != given[0].text or span != spans[0]:
            raise InputError(
                f"the results of {given[0].method!r} and {one.method!r} are on different words: compare results on the "
                "same text, unit and target"
            )
    if not spans[0]:
        raise InputError("the results have no words to compare")
    count = max(1, len(spans[0]) // 4) if top is None else top
    if type(count) is not int or not 1 <= count <= len(spans[0]):
        raise InputError(f"top={top!r}: the text has {len(spans[0])} words; give a number from 1 to that")
    scores = np.stack([np.abs(one.scores) if by == "magnitude" else one.scores for one in given])
    rank = np.array([[spearman(a, b) for b in scores] for a in scores])
    best = [frozenset(np.argsort(-row, kind="stable")[:count].tolist()) for row in scores]
    overlap = np.array([[len(a & b) / count for b in best] for a in best])
    return Agreement(given, _names(given), rank, overlap, count, by)


def _names(results: Sequence[Attribution]) -> tuple[str, ...]:
    methods = [one.method for one in results]
    return tuple(
        method if methods.count(method) == 1 else f"{method} {methods[: i + 1].count(method)}"
        for i, method in enumerate(methods)
    )


def _cell(value: float) -> str:
    return "—" if np.isnan(value) else f"{value:.2f}"
