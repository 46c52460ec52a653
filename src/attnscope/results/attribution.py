"""A score for every token and word of a text: what methods return and renderers draw.

Plain frozen data, numpy only: a machine without torch can load, inspect and draw it. Scores are raw; scaling belongs
to the display. The JSON form is documented in docs/schema.md.
"""

import math
import warnings
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnscope.errors import InputError, NonFiniteError
from attnscope.results.base import NEVER, Asked, Document, Measured
from attnscope.results.files.reading import NUMBER, Kinds, checked, checked_items, shallow
from attnscope.results.files.schema1 import merged_parameters
from attnscope.results.scaling import min_max, symmetric
from attnscope.results.tables import Columns, counts, flags, numbers, texts
from attnscope.text.words import tokens_as_words


@dataclass(frozen=True, slots=True)
class Token:
    """One position of the model's input. `text` is the slice `start:end` of the source text.

    Special tokens that are not in the text (BOS, a chat template's markers) have `start == end` and their own name as
    `text`.

    >>> [token.text for token in ats.attention(model, "Kumamoto Castle", layer=3).tokens]
    ['K', 'um', 'amoto', ' Castle']
    """

    text: str
    start: int
    end: int
    special: bool
    score: float


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the source text, `text[start:end]`, with the score pooled from its tokens.

    >>> word = ats.attention(model, "The castle on the hill", layer=3, query="hill").words[1]
    >>> word.text, word.start, word.end
    ('castle', 4, 10)
    """

    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Attribution(Document):
    """The scores of a text's tokens and words, and how they were made.

    method:     the method's name in METHODS, or the name that a user gave to their own scores.
    family:     "attention" (a row of attention itself: scores are shares, 0 to 1), "flow" (attention followed through
                layers), "gradient", "perturbation", "baseline" or "own".
    asked:      what the caller chose. measured: what was measured beside the scores.
    signed:     whether 0 is the middle: positive scores speak for the target, negative ones against it.
    provenance: model, revision, dtype, attention implementation, versions.

    >>> text = "Paris is in France. Tokyo is in"
    >>> words = ats.explain(model, text, method="occlusion", target=" Japan", against=" France")
    >>> words.family, words.signed, words.scores.round(1)
    ('perturbation', True, array([ 0.7,  1.3, 10.3, 10.1,  7.7, 13.2,  8.3, 10.3]))
    """

    type: ClassVar[str] = "attribution"
    tables: ClassVar[tuple[str, ...]] = ("words", "tokens")

    method: str
    family: str
    text: str
    tokens: tuple[Token, ...]
    words: tuple[Word, ...]
    asked: Asked = field(default_factory=Asked)
    measured: Measured = field(default_factory=Measured)
    signed: bool = False
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        scored: dict[str, Sequence[Token | Word]] = {"token": self.tokens, "word": self.words}
        for unit, items in scored.items():
            for i, item in enumerate(items):
                if not math.isfinite(item.score):
                    raise NonFiniteError(
                        f"the score of {unit} {i} ({item.text!r}) is {item.score}: the model's numbers overflowed; "
                        'try dtype="float32"'
                    )

    @property
    def excluded_mass(self) -> float | None:
        """The attention that went to special tokens, which the picture leaves out; None where it has no meaning."""
        return self.measured.excluded_mass

    @property
    def kind(self) -> str:
        """Deprecated: use `family`, which says more."""
        warnings.warn("Attribution.kind is now Attribution.family, which says more", DeprecationWarning, stacklevel=2)
        return "attention" if self.family == "attention" else "importance"

    @property
    def parameters(self) -> dict[str, Any]:
        """Deprecated: use `asked` and `measured`."""
        warnings.warn(
            "Attribution.parameters is now in two: Attribution.asked (its options too) and Attribution.measured",
            DeprecationWarning,
            stacklevel=2,
        )
        queried = {"query": None, "query_tokens": None} if self.family in ("attention", "flow") else {}
        return {**queried, **merged_parameters(shallow(self.asked), shallow(self.measured))}

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """Raw word scores, shape (word,)."""
        return np.array([w.score for w in self.words], dtype=np.float64)

    @cached_property
    def token_scores(self) -> NDArray[np.float64]:
        """Raw token scores, shape (token,), special tokens included."""
        return np.array([t.score for t in self.tokens], dtype=np.float64)

    @property
    def scaled(self) -> NDArray[np.float64]:
        """The words' scores for display, shape (word,), from 0 to 1: min–max, or 0 in the middle if signed."""
        return symmetric(self.scores) if self.signed else min_max(self.scores)

    @cached_property
    def names(self) -> tuple[str | None, ...]:
        """The words' names, (word,): those of segments; None for what has none."""
        by_span = {tuple(span): name for name, span in self.asked.segments.items()}
        return tuple(by_span.get((word.start, word.end)) for word in self.words)

    @cached_property
    def means(self) -> NDArray[np.float64]:
        """The words' scores per token, (word,): a long passage has the larger sum for its length alone."""
        starts = sorted(token.start for token in self.tokens if not token.special and token.start < token.end)
        counts = [bisect_left(starts, word.end) - bisect_left(starts, word.start) for word in self.words]
        return self.scores / np.maximum(1, counts)

    def by_token(self) -> Self:
        """The same result with tokens for words: each non-special token with its own score, subwords not grouped.

        Tokens that share a character cannot be drawn apart: they stay together, with the sum of their scores.
        """
        units = tokens_as_words(self.tokens)
        scores = [sum(self.tokens[i].score for i in unit.tokens) for unit in units]
        words = (
            Word(self.text[unit.start : unit.end], unit.start, unit.end, score)
            for unit, score in zip(units, scores, strict=True)
        )
        return replace(self, words=tuple(words), measured=replace(self.measured, shared_words=()))

    @classmethod
    def of(
        cls,
        text: str,
        words: Sequence[str | tuple[int, int] | Word],
        scores: ArrayLike,
        *,
        method: str = "own",
        signed: bool = False,
        provenance: Mapping[str, Any] | None = None,
    ) -> Self:
        """A result from your own scores, to draw them or compare them with those of a method.

        words:  the scored words in order: strings, each the next occurrence in the text; pairs (start, end) of
                characters; or Words of another result. The words are also the result's tokens.
        scores: one per word, (word,), raw.
        method: their name in pictures. signed: whether 0 is the middle.

        Raises InputError for a word that is not there, out of order or overlapping, and for another number of scores;
        NonFiniteError for NaN and infinity.

        >>> Attribution.of("the castle", ["the", "castle"], [0.25, 1]).scores.tolist()
        [0.25, 1.0]
        """
        spans = _placed(text, words)
        values = np.asarray(scores, dtype=np.float64)
        if values.shape != (len(spans),):
            raise InputError(f"{len(spans)} words were given and scores of the shape {values.shape}: give one a word")
        scored = [(text[start:end], start, end, float(v)) for (start, end), v in zip(spans, values, strict=True)]
        return cls(
            method=method,
            family="own",
            text=text,
            tokens=tuple(Token(word, start, end, False, score) for word, start, end, score in scored),
            words=tuple(Word(*word) for word in scored),
            signed=signed,
            provenance=dict(provenance or {}),
        )

    def __repr__(self) -> str:
        best = sorted(self.words, key=lambda w: -abs(w.score))[:3]
        top = ", ".join(f"{w.text!r} {w.score:.4g}" for w in best)
        return f"<Attribution {self.method}: {len(self.words)} words, {len(self.tokens)} tokens; top: {top}>"

    def _columns(self, of: str) -> Columns:
        items: Sequence[Word | Token] = self.words if of == "words" else self.tokens
        table: Columns = {
            of.removesuffix("s"): texts(item.text for item in items),
            "start": counts(item.start for item in items),
            "end": counts(item.end for item in items),
            "score": numbers(item.score for item in items),
        }
        if of == "tokens":
            return table | {"special": flags(t.special for t in self.tokens)}
        if self.asked.segments:
            table = {"name": texts(self.names), **table, "mean": self.means}
        return table | {"scaled": self.scaled}

    def _body(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "family": self.family,
            "text": self.text,
            "signed": self.signed,
            "asked": shallow(self.asked),
            "measured": {
                **shallow(self.measured),
                "value": NEVER if self.measured.value == -math.inf else self.measured.value,
            },
            "tokens": [shallow(token) for token in self.tokens],
            "words": [
                {**shallow(word), "scaled": float(scaled)} for word, scaled in zip(self.words, self.scaled, strict=True)
            ],
            "provenance": dict(self.provenance),
        }

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        top = checked(data, _FIELDS, "the result")
        text = top["text"]
        tokens = checked_items(top["tokens"], _TOKEN_FIELDS, "token")
        words = checked_items(top["words"], _WORD_FIELDS, "word")
        end = 0
        for i, word in enumerate(words):
            if not end <= word["start"] < word["end"] <= len(text):
                raise ValueError(f"word {i} spans {word['start']}:{word['end']}, out of order or out of the text")
            end = word["end"]
        for i, token in enumerate(tokens):
            if not 0 <= token["start"] <= token["end"] <= len(text):
                raise ValueError(f"token {i} spans {token['start']}:{token['end']}, out of the text")
        for i, item in enumerate((*words, *(t for t in tokens if not t["special"]))):
            if text[item["start"] : item["end"]] != item["text"]:
                raise ValueError(f"item {i} says {item['text']!r} where the text has another")
        return cls(
            **{
                **top,
                "tokens": tuple(Token(**token) for token in tokens),
                "words": tuple(Word(**word) for word in words),
                "asked": Asked.read(top["asked"]),
                "measured": Measured.read(top["measured"]),
            }
        )


def _placed(text: str, words: Sequence[str | tuple[int, int] | Word]) -> list[tuple[int, int]]:
    """Where these words are in the text, in order. Raises InputError, naming the first that is not there."""
    spans: list[tuple[int, int]] = []
    position = 0
    for i, word in enumerate(words):
        if isinstance(word, str):
            start = text.find(word, position) if word else -1
            end = start + len(word)
            if start < 0:
                raise InputError(f"word {i} is {word!r}, which the text does not have after its character {position}")
        else:
            start, end = (word.start, word.end) if isinstance(word, Word) else word
            if not position <= start < end <= len(text):
                raise InputError(
                    f"word {i} spans {start}:{end}, which is empty, before the end of the last word ({position}) or "
                    f"beyond the text ({len(text)} characters)"
                )
            if isinstance(word, Word) and text[start:end] != word.text:
                raise InputError(f"word {i} is {word.text!r} of another text: here {text[start:end]!r} stands there")
        spans.append((start, end))
        position = end
    return spans


_FIELDS: dict[str, Kinds] = {
    "method": (str,), "family": (str,), "text": (str,), "signed": (bool,), "asked": (dict,), "measured": (dict,),
    "tokens": (list,), "words": (list,), "provenance": (dict,),
}  # fmt: skip
# A word's scaled score is computed again.
_WORD_FIELDS: dict[str, Kinds] = {"text": (str,), "start": (int,), "end": (int,), "score": NUMBER}
_TOKEN_FIELDS: dict[str, Kinds] = {**_WORD_FIELDS, "special": (bool,)}
