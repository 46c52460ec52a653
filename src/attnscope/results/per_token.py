"""A score for every pair of a target token and a token of the text: what each generated token relied on.

Plain frozen data, numpy only, like Attribution; there is an Attribution for each target token.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from types import NoneType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError, NonFiniteError
from attnscope.results.attribution import Attribution, Token, Word
from attnscope.results.base import Document
from attnscope.results.files.reading import NUMBER, Kinds, checked_items, shallow
from attnscope.results.tables import Columns, counts, joined, texts
from attnscope.text.words import WordSpan, group, tokens_as_words


@dataclass(frozen=True, slots=True)
class TargetToken:
    """An explained token: its text, its index among the text's tokens (None if it is not one of them), its value.

    tokens: how many tokens, from index on, were put together here: 1, or those of a word or a character.
    """

    text: str
    index: int | None
    value: float
    tokens: int = 1


@dataclass(frozen=True, eq=False)
class PerToken(Document):
    """Scores (target, token) and (target, word).

    first:   the Attribution of the first target token; all share its text, method, request and provenance.
    targets: the explained tokens. For a token in the text, what comes before it is scored, and the rest has 0.

    >>> each = ats.explain(model, "The capital of Japan is", method="gradient", generate=3, per_token=True)
    >>> [target.text for target in each.targets[:2]], each.scores.shape
    (['Tokyo', '.'], (3, 8))
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

    def place(self, target: int) -> tuple[int, int] | None:
        """Where a target stands in the text, its white space included; None if it is not in the text."""
        about = self.targets[target]
        if about.index is None:
            return None
        tokens = self.first.tokens[about.index : about.index + about.tokens]
        return tokens[0].start, max(token.end for token in tokens)

    def read_words(self, target: int) -> NDArray[np.bool_]:
        """(word,) Which words a target was scored on: those with a token before its last one."""
        about = self.targets[target]
        end = len(self.first.text)
        if about.index is not None:
            end = max((token.end for token in self.first.tokens[: about.index + about.tokens - 1]), default=0)
        return np.array([word.start < end for word in self.first.words], dtype=bool)

    def by_word(self) -> Self:
        """The same result with a row for each word of the target: the rows of its tokens put together.

        Its value is the one that the word has as a target of its own: the sum of its tokens' values, of losses the
        mean, of probabilities the product. Its scores are the sum of their rows: exact for signed methods, and for
        norms as a word's score is the sum of its tokens'. They are the mean of the rows for losses and where scores are
        attention or follow it, and for probabilities the change of the product. completeness_error and standard_error
        are bounds then. Words that a token connects are one. Raises InputError where the target is not in the text.
        """
        if any(target.index is None for target in self.targets):
            raise InputError("the target's tokens are not in the result's text, so their words are not known")
        return self._together(group(self.first.text, self.first.tokens))

    def by_character(self) -> Self:
        """The same result with a row for target tokens that share a character: nothing can draw these apart.

        The rows of 東 in two bytes are one; the numbers as in `by_word`.
        """
        return self._together(tokens_as_words(self.first.tokens))

    def _together(self, units: Sequence[WordSpan]) -> Self:
        """The rows of targets in the same unit as one row."""
        unit_of = {token: number for number, unit in enumerate(units) for token in unit.tokens}
        # What is in no unit, such as a special token, stays by itself.
        keys = [unit_of.get(-1 if t.index is None else t.index, -1 - i) for i, t in enumerate(self.targets)]
        runs = [list(run) for _, run in groupby(range(len(self)), key=keys.__getitem__)]
        if len(runs) == len(self):
            return self
        weights = np.zeros((len(runs), len(self)))
        targets = []
        for row, run in enumerate(runs):
            members = [self.targets[i] for i in run]
            value, weights[row, run] = self._value_together(members)
            text = members[0].text
            if (begun := self.place(run[0])) and (ended := self.place(run[-1])) and len(run) > 1:
                text = self.first.text[begun[0] : ended[1]]
            targets.append(TargetToken(text, members[0].index, value, sum(member.tokens for member in members)))
        pooled = replace(
            self, targets=tuple(targets), token_scores=weights @ self.token_scores, scores=weights @ self.scores
        )
        return replace(pooled, first=self._bounded(pooled[0], float(weights.sum(1).max())))

    def _value_together(self, members: Sequence[TargetToken]) -> tuple[float, list[float]]:
        """The value of several target tokens as one, and what each row counts for in the row of them all."""
        values = np.array([member.value for member in members])
        sizes = np.array([member.tokens for member in members], dtype=np.float64)
        quantity = self.first.asked.quantity
        value, weights = float(values.sum()), np.ones(len(members))
        if quantity == "loss":
            value, weights = float(values @ sizes / sizes.sum()), sizes / sizes.sum()
        elif quantity == "probability":
            value = float(values.prod())
            weights = np.array([np.delete(values, i).prod() for i in range(len(values))])
        if self.first.family in ("attention", "flow"):
            weights = sizes / sizes.sum()
        return value, weights.tolist()

    def _bounded(self, row: Attribution, most: float) -> Attribution:
        """The first row as `first`, with errors that hold for the sum of `most` rows."""
        measured, most = self.first.measured, max(1.0, most)
        error, spread = measured.completeness_error, measured.standard_error
        return replace(
            row,
            asked=self.first.asked,
            measured=replace(
                measured,
                excluded_mass=row.measured.excluded_mass,
                completeness_error=None if error is None else error * most,
                standard_error=None if spread is None else tuple(one * most for one in spread),
            ),
        )

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
        # Files of one token a target may leave out how many they are.
        given = [{"tokens": 1, **target} if isinstance(target, dict) else target for target in data["targets"]]
        targets = checked_items(given, _TARGET_FIELDS, "target")
        return cls(
            Attribution.read(data["first"]),
            tuple(TargetToken(**target) for target in targets),
            np.array(data["token_scores"], dtype=np.float64),
            np.array(data["word_scores"], dtype=np.float64),
        )


_TARGET_FIELDS: dict[str, Kinds] = {"text": (str,), "index": (int, NoneType), "value": NUMBER, "tokens": (int,)}
