"""Which words of two texts make them similar: a score for every pair of words, and what they add up to.

Plain frozen data, numpy only. The JSON form is documented in docs/schema.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import NonFiniteError
from attnscope.results.attribution import Attribution
from attnscope.results.base import Document
from attnscope.results.files.reading import NUMBER, checked_tuple, part
from attnscope.results.tables import Columns, counts, numbers, texts


@dataclass(frozen=True, eq=False)
class Similarity(Document):
    """The similarity of two texts, shared out over the pairs of their words, signed.

        value = base + left_alone.sum() + right_alone.sum() + scores.sum(), up to the error of the integrals

    left, right:  the texts; the score of a word is the sum of its row, or column.
    scores:       (left word, right word); token_scores: (left token, right token).
    left_alone, right_alone: (word,), what a word does against the other text's baseline, which has no words.
    base:         the similarity of the two baselines.
    to_baseline:  the similarity of the left text to the right baseline, and of the left baseline to the right text.

    >>> pairs = ats.similarity(ats.load(pooling="mean"), "cats sleep", "kittens rest", steps=5)
    >>> pairs.name, round(pairs.value, 2)
    ('cosine similarity', 0.89)
    """

    type: ClassVar[str] = "similarity"
    tables: ClassVar[tuple[str, ...]] = ("words", "tokens")

    left: Attribution
    right: Attribution
    scores: NDArray[np.float64]
    token_scores: NDArray[np.float64]
    left_alone: NDArray[np.float64]
    right_alone: NDArray[np.float64]
    base: float
    to_baseline: tuple[float, float]

    def __post_init__(self) -> None:
        sides = self.left, self.right
        words, tokens = ((len(getattr(sides[0], unit)), len(getattr(sides[1], unit))) for unit in ("words", "tokens"))
        shapes = self.scores.shape, self.token_scores.shape, (len(self.left_alone), len(self.right_alone))
        if shapes != (words, tokens, words):
            raise ValueError(f"scores of shapes {shapes}, expected {(words, tokens, words)}")
        if not all(np.isfinite(part).all() for part in (self.token_scores, self.scores)):
            raise NonFiniteError(
                'a score of two words is not finite: the model\'s numbers overflowed; try dtype="float32"'
            )
        if self.left.measured.value is None:
            raise ValueError("the similarity of the texts is missing")

    @property
    def value(self) -> float:
        """The similarity of the two texts."""
        assert self.left.measured.value is not None
        return self.left.measured.value

    @property
    def name(self) -> str:
        """What it is, in words: "cosine similarity" or "dot product"."""
        return self.left.asked.quantity or "similarity"

    @property
    def expected(self) -> float:
        """What the scores should add up to: value − to_baseline[0] − to_baseline[1] + base."""
        return self.value - sum(self.to_baseline) + self.base

    @property
    def error(self) -> float:
        """How far the scores of all tokens miss it: the error of the integral over the path."""
        return float(abs(self.token_scores.sum() - self.expected))

    def strongest(self, count: int = 10) -> list[tuple[int, int, float]]:
        """The pairs of words with the largest scores, of either sign: left word, right word, score."""
        order = np.argsort(-np.abs(self.scores), axis=None, kind="stable")[:count]
        places = zip(*np.unravel_index(order, self.scores.shape), strict=True)
        return [(int(i), int(j), float(self.scores[i, j])) for i, j in places]

    def __repr__(self) -> str:
        pairs = ", ".join(
            f"{self.left.words[i].text!r}–{self.right.words[j].text!r} {score:.3g}" for i, j, score in self.strongest(3)
        )
        return f"<Similarity {self.value:.4g} ({self.name}); top: {pairs}>"

    def _columns(self, of: str) -> Columns:
        left, right = (getattr(side, of) for side in (self.left, self.right))
        scores = self.scores if of == "words" else self.token_scores
        rows, columns = (np.repeat(np.arange(len(left)), len(right)), np.tile(np.arange(len(right)), len(left)))
        return {
            "left": texts(left[i].text for i in rows),
            "right": texts(right[j].text for j in columns),
            "left_start": counts(left[i].start for i in rows),
            "right_start": counts(right[j].start for j in columns),
            "score": numbers(scores.ravel()),
        }

    def _body(self) -> dict[str, Any]:
        return {
            "left": self.left.to_dict(),
            "right": self.right.to_dict(),
            "value": self.value,
            "base": self.base,
            "to_baseline": list(self.to_baseline),
            "expected": self.expected,
            "error": self.error,
            "scores": self.scores.tolist(),
            "token_scores": self.token_scores.tolist(),
            "left_alone": self.left_alone.tolist(),
            "right_alone": self.right_alone.tolist(),
        }

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        sides = {}
        for name in ("left", "right"):
            with part(name):
                sides[name] = Attribution.read(data[name])
        words, tokens = ([len(getattr(side, unit)) for side in sides.values()] for unit in ("words", "tokens"))
        return cls(
            **sides,
            scores=_matrix(data["scores"], *words),
            token_scores=_matrix(data["token_scores"], *tokens),
            left_alone=np.array(checked_tuple(data["left_alone"], NUMBER, "left_alone"), dtype=np.float64),
            right_alone=np.array(checked_tuple(data["right_alone"], NUMBER, "right_alone"), dtype=np.float64),
            base=float(data["base"]),
            to_baseline=checked_tuple(data["to_baseline"], NUMBER, "to_baseline", 2),
        )


def _matrix(data: Any, rows: int, columns: int) -> NDArray[np.float64]:
    matrix = np.array(data, dtype=np.float64)
    if matrix.shape != (rows, columns):
        raise ValueError(f"a matrix of the shape {matrix.shape}, expected {(rows, columns)}")
    return matrix
