"""A score for every pair of a target token and a token of the text: what each generated token relied on.

Plain frozen data, numpy only, like Attribution; there is an Attribution for each target token.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import NoneType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import NonFiniteError
from attnscope.results.attribution import Attribution, Token, Word
from attnscope.results.base import Document
from attnscope.results.files.reading import NUMBER, Kinds, checked_items, shallow
from attnscope.results.tables import Columns, counts, joined, texts


@dataclass(frozen=True, slots=True)
class TargetToken:
    """An explained token: its text, its index among the text's tokens (None if it is not one of them), its value."""

    text: str
    index: int | None
    value: float


@dataclass(frozen=True, eq=False)
class PerToken(Document):
    """Scores (target, token) and (target, word).

    first:   the Attribution of the first target token; all share its text, method, request and provenance.
    targets: the explained tokens. For a token in the text, what comes before it is scored, and the rest has 0.
    """

    type: ClassVar[str] = "per_token"
    tables: ClassVar[tuple[str, ...]] = ("words", "tokens")

    first: Attribution
    targets: tuple[TargetToken, ...]
    token_scores: NDArray[np.float64]
    scores: NDArray[np.float64]

    def __post_init__(self) -> None:
        expected = (len(self.targets), len(self.first.tokens)), (len(self.targets), len(self.first.words))
        if (self.token_scores.shape, self.scores.shape) != expected or not self.targets:
            raise ValueError(f"scores of shapes {self.token_scores.shape} and {self.scores.shape}, expected {expected}")
        for target, finite in zip(
            self.targets, [bool(np.isfinite(row).all()) for row in self.token_scores], strict=True
        ):
            if not finite:
                raise NonFiniteError(
                    f"a score of the target token {target.text!r} is not finite: the model's numbers overflowed; "
                    'try dtype="float32"'
                )

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, target: int) -> Attribution:
        """The scores of one target token."""
        tokens = zip(self.first.tokens, self.token_scores[target], strict=True)
        words = zip(self.first.words, self.scores[target], strict=True)
        about = self.targets[target]
        mass = self.first.excluded_mass
        if mass is not None:
            row = self.token_scores[target]
            mass = float(sum(s for t, s in zip(self.first.tokens, row, strict=True) if t.special))
        return replace(
            self.first,
            tokens=tuple(Token(t.text, t.start, t.end, t.special, float(s)) for t, s in tokens),
            words=tuple(Word(w.text, w.start, w.end, float(s)) for w, s in words),
            asked=replace(self.first.asked, target_token=about.text),
            measured=replace(self.first.measured, excluded_mass=mass, value=about.value),
        )

    def read_words(self, target: int) -> NDArray[np.bool_]:
        """(word,) Which words a target token was scored on: those that begin before it."""
        index = self.targets[target].index
        end = len(self.first.text) if index is None else self.first.tokens[index].start
        return np.array([word.start < end for word in self.first.words], dtype=bool)

    def __iter__(self) -> Iterator[Attribution]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PerToken)
            and (self.first, self.targets) == (other.first, other.targets)
            and np.array_equal(self.token_scores, other.token_scores)
            and np.array_equal(self.scores, other.scores)
        )

    def __hash__(self) -> int:
        return hash((self.targets, self.first.text))

    def __repr__(self) -> str:
        return f"<PerToken {self.first.method}: {len(self)} target tokens × {len(self.first.words)} words>"

    def _columns(self, of: str) -> Columns:
        rows = []
        for number, (target, result) in enumerate(zip(self.targets, self, strict=True)):
            table = result.columns(of)
            table.pop("scaled", None)
            size = len(table["score"])
            rows.append({"target": counts([number] * size), "target_token": texts([target.text] * size), **table})
        return joined(rows)

    def _body(self) -> dict[str, Any]:
        return {
            "first": self.first.to_dict(),
            "targets": [shallow(target) for target in self.targets],
            "token_scores": self.token_scores.tolist(),
            "word_scores": self.scores.tolist(),
        }

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        targets = checked_items(data["targets"], _TARGET_FIELDS, "target")
        return cls(
            Attribution.read(data["first"]),
            tuple(TargetToken(**target) for target in targets),
            np.array(data["token_scores"], dtype=np.float64),
            np.array(data["word_scores"], dtype=np.float64),
        )


_TARGET_FIELDS: dict[str, Kinds] = {"text": (str,), "index": (int, NoneType), "value": NUMBER}
