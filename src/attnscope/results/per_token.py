"""One score for every pair of a target token and a token of the text: what each generated token relied on.

Plain frozen data, numpy only, like Attribution, of which it holds one for each target token.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import DamagedFileError, NonFiniteError
from attnscope.results.attribution import Attribution, Token, Word
from attnscope.results.files import write_atomically

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class TargetToken:
    """A token that is explained: its text, its index in the tokens (None where it is not among them), its value."""

    text: str
    index: int | None
    value: float


@dataclass(frozen=True, eq=False)
class PerToken:
    """Scores (target, token) and (target, word).

    first:   the Attribution of the first target token: text, method, parameters, provenance of all.
    targets: the explained tokens. One that stands in the text is scored by what comes before it: the rest has 0.
    """

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
            excluded_mass=mass,
            parameters={**self.first.parameters, "target_token": about.text, "value": about.value},
        )

    def read_words(self, target: int) -> NDArray[np.bool_]:
        """(word,) The words that a target token was scored on: those that begin before it."""
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

    def _repr_html_(self) -> str:
        # Through the package's front door: data does not import its renderers.
        import attnscope

        return attnscope.notebook_html(self)

    def to_json(self) -> str:
        """The documented JSON (docs/schema.md), one line."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "kind": "per-token",
                "first": json.loads(self.first.to_json()),
                "targets": [{"text": t.text, "index": t.index, "value": t.value} for t in self.targets],
                "token_scores": self.token_scores.tolist(),
                "word_scores": self.scores.tolist(),
            },
            ensure_ascii=False,
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, document: str, source: str = "the document") -> Self:
        """The PerToken that `to_json` wrote. Raises DamagedFileError, naming `source`, for anything else."""
        try:
            data: Any = json.loads(document)
            if data["kind"] != "per-token" or data["schema"] != SCHEMA:
                raise DamagedFileError(f"{source} is no per-token result of schema {SCHEMA}: make the result again")
            return cls(
                Attribution.from_json(json.dumps(data["first"]), source),
                tuple(TargetToken(str(t["text"]), t["index"], float(t["value"])) for t in data["targets"]),
                np.array(data["token_scores"], dtype=np.float64),
                np.array(data["word_scores"], dtype=np.float64),
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DamagedFileError(f"{source} is not a per-token result saved by attnscope ({error})") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the JSON to `path`, whole or not at all."""
        write_atomically(path, self.to_json().encode("utf-8", "backslashreplace"))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote. Raises FileNotFoundError, or DamagedFileError."""
        return cls.from_json(Path(path).read_text("utf-8"), str(path))
