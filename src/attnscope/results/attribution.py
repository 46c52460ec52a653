"""One score for every token and word of a text: what attention and importance methods return and renderers draw.

Plain frozen data, numpy only: a machine without torch can load, inspect and draw it. Scores are raw; scaling belongs
to the display. The JSON form is documented in docs/schema.md.
"""

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import DamagedFileError, NonFiniteError
from attnscope.results.files import write_atomically
from attnscope.results.scaling import min_max, symmetric

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Token:
    """One position of the model's input. `text` is the slice `start:end` of the source text.

    Special tokens that stand nowhere in the text (BOS, a chat template's markers) have `start == end` and their own
    name as `text`.
    """

    text: str
    start: int
    end: int
    special: bool
    score: float


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the source text, `text[start:end]`, with the score pooled from its tokens."""

    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Attribution:
    """Scores of one text's tokens and words, and how they were made.

    kind:          "attention" (a share of attention, 0 to 1) or "importance" (the method's own unit).
    method:        the method's name in METHODS, or "attention".
    parameters:    what was asked for: layer, head, query, target, preset, ….
    excluded_mass: the attention that went to special tokens, which are left out of the picture; None where it has no
                   meaning.
    provenance:    model, revision, dtype, attention implementation, versions.
    signed:        whether 0 is the middle: positive scores speak for the target, negative ones against it.
    """

    kind: str
    method: str
    parameters: Mapping[str, Any]
    text: str
    tokens: tuple[Token, ...]
    words: tuple[Word, ...]
    excluded_mass: float | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    signed: bool = False

    def __post_init__(self) -> None:
        scored: dict[str, Sequence[Token | Word]] = {"token": self.tokens, "word": self.words}
        for unit, items in scored.items():
            for i, item in enumerate(items):
                if not math.isfinite(item.score):
                    raise NonFiniteError(
                        f"the score of {unit} {i} ({item.text!r}) is {item.score}: the model's numbers overflowed; "
                        'try dtype="float32"'
                    )

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """Raw word scores, shape (word,)."""
        return np.array([w.score for w in self.words], dtype=np.float64)

    @cached_property
    def token_scores(self) -> NDArray[np.float64]:
        """Raw token scores, shape (token,); special tokens included, with the score they had."""
        return np.array([t.score for t in self.tokens], dtype=np.float64)

    @property
    def scaled(self) -> NDArray[np.float64]:
        """The words' scores for display, shape (word,), from 0 to 1: min–max, or 0 in the middle if signed."""
        return symmetric(self.scores) if self.signed else min_max(self.scores)

    def by_token(self) -> Self:
        """The same result with tokens for words: each non-special token's own score, subwords ungrouped.

        Tokens that share a character (a byte-level tokenizer splits "本" into bytes) cannot be drawn apart: they stay
        together, with the sum of their scores.
        """
        words: list[Word] = []
        for token in self.tokens:
            if token.special or token.start == token.end:
                continue
            start, end, score = token.start, token.end, token.score
            if words and start < words[-1].end:
                last = words.pop()
                start, end, score = last.start, max(end, last.end), last.score + score
            words.append(Word(self.text[start:end], start, end, score))
        return replace(self, words=tuple(words))

    def __repr__(self) -> str:
        best = sorted(self.words, key=lambda w: -abs(w.score))[:3]
        top = ", ".join(f"{w.text!r} {w.score:.4g}" for w in best)
        return f"<Attribution {self.method}: {len(self.words)} words, {len(self.tokens)} tokens; top: {top}>"

    def _repr_html_(self) -> str:
        # Through the package's front door: data does not import its renderers.
        import attnscope

        return attnscope.notebook_html(self)

    def to_json(self) -> str:
        """The documented JSON (docs/schema.md), one line. Floats are written so that they load bit for bit."""
        scaled = self.scaled
        return json.dumps(
            {
                "schema": SCHEMA,
                "kind": self.kind,
                "method": self.method,
                "parameters": dict(self.parameters),
                "text": self.text,
                "excluded_mass": self.excluded_mass,
                "signed": self.signed,
                "tokens": [
                    {"text": t.text, "start": t.start, "end": t.end, "special": t.special, "score": t.score}
                    for t in self.tokens
                ],
                "words": [
                    {"text": w.text, "start": w.start, "end": w.end, "score": w.score, "scaled": float(s)}
                    for w, s in zip(self.words, scaled, strict=True)
                ],
                "provenance": dict(self.provenance),
            },
            ensure_ascii=False,
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, document: str, source: str = "the document") -> Self:
        """The Attribution that `to_json` wrote. Raises DamagedFileError, naming `source`, for anything else."""
        try:
            data = json.loads(document)
        except (ValueError, RecursionError) as error:
            raise DamagedFileError(f"{source} is not JSON ({error}); expected a result saved by attnscope") from error
        return cls._checked(data, source)

    @classmethod
    def _checked(cls, data: Any, source: str) -> Self:
        def damaged(what: str) -> DamagedFileError:
            return DamagedFileError(f"{source} is damaged: {what}; save the result again")

        if not isinstance(data, dict) or "schema" not in data:
            raise DamagedFileError(f"{source} is not a result saved by attnscope: it has no schema number")
        if data["schema"] != SCHEMA:
            raise DamagedFileError(
                f"{source} has schema {data['schema']!r}, this attnscope reads schema {SCHEMA}: install the attnscope "
                "that wrote it, or make the result again"
            )
        for key, kinds in _FIELDS.items():
            if not _is(data.get(key), kinds):
                raise damaged(f"{key!r} is missing or not {_spoken(kinds)}")
        text = data["text"]
        tokens = _items(data["tokens"], _TOKEN_FIELDS, "token", damaged)
        words = _items(data["words"], _WORD_FIELDS, "word", damaged)
        end = 0
        for i, word in enumerate(words):
            if not end <= word["start"] < word["end"] <= len(text):
                raise damaged(f"word {i} spans {word['start']}:{word['end']}, out of order or out of the text")
            end = word["end"]
        for i, token in enumerate(tokens):
            if not 0 <= token["start"] <= token["end"] <= len(text):
                raise damaged(f"token {i} spans {token['start']}:{token['end']}, out of the text")
        for i, item in enumerate((*words, *(t for t in tokens if not t["special"]))):
            if text[item["start"] : item["end"]] != item["text"]:
                raise damaged(f"item {i} says {item['text']!r} where the text has another")
        return cls(
            kind=data["kind"],
            method=data["method"],
            parameters=data["parameters"],
            text=text,
            tokens=tuple(Token(**{k: t[k] for k in _TOKEN_FIELDS}) for t in tokens),
            words=tuple(Word(**{k: w[k] for k in _WORD_FIELDS if k != "scaled"}) for w in words),
            excluded_mass=data.get("excluded_mass"),
            signed=bool(data.get("signed")),
            provenance=data["provenance"],
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the JSON to `path`, whole or not at all."""
        # Half a surrogate pair has no UTF-8, but its JSON escape has.
        write_atomically(path, self.to_json().encode("utf-8", "backslashreplace"))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote. Raises FileNotFoundError, or DamagedFileError saying what is wrong with the file."""
        raw = Path(path).read_bytes()
        try:
            return cls.from_json(raw.decode(), str(path))
        except UnicodeDecodeError as error:
            raise DamagedFileError(f"{path} is not UTF-8 text ({error}); expected a saved result") from error


_FIELDS: dict[str, tuple[type, ...]] = {
    "kind": (str,),
    "method": (str,),
    "parameters": (dict,),
    "text": (str,),
    "tokens": (list,),
    "words": (list,),
    "provenance": (dict,),
    "excluded_mass": (int, float, type(None)),
    "signed": (bool, type(None)),
}
_WORD_FIELDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "start": (int,),
    "end": (int,),
    "score": (int, float),
    "scaled": (int, float),
}
_TOKEN_FIELDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "start": (int,),
    "end": (int,),
    "special": (bool,),
    "score": (int, float),
}


def _spoken(kinds: tuple[type, ...]) -> str:
    return " or ".join(kind.__name__ for kind in kinds)


def _is(value: Any, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, bool):  # which Python takes for an int
        return bool in kinds
    # json reads NaN, 1e999 and integers beyond every float; a score is none of these.
    if isinstance(value, int | float) and not -sys.float_info.max <= value <= sys.float_info.max:
        return False
    return isinstance(value, kinds)


def _items(
    items: Sequence[Any], fields: Mapping[str, tuple[type, ...]], name: str, damaged: Any
) -> list[dict[str, Any]]:
    for i, item in enumerate(items):
        if not isinstance(item, dict):
            raise damaged(f"{name} {i} is not an object")
        for key, kinds in fields.items():
            if not _is(item.get(key), kinds):
                raise damaged(f"{name} {i} has no {key!r} of type {_spoken(kinds)}")
    return list(items)
