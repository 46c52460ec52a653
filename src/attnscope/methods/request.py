"""What every importance method is asked in the same words: text, target, units. And what it hands back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.methods.build import provenance
from attnscope.methods.cost import foresee
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.loading.load import Model, load
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Objective, Target
from attnscope.results.attribution import Attribution, Token, Word
from attnscope.results.base import Asked, Measured
from attnscope.results.per_token import PerToken, TargetToken
from attnscope.text import segments as pieces
from attnscope.text.words import WordSpan

UNITS = ("word", "token", "sentence", "segment")
Result = Attribution | PerToken


class Asking(TypedDict, total=False):
    """The parameters that every importance method takes beside its own; `models.targets` says what a target is.

    unit:     what is scored: "word", "token", "sentence" or "segment".
    segments: {name: (start, end)}, "paragraphs", or "turns" (between the chat markers written in the text).
    within:   only the units inside one piece of the text are scored, and taken away: the name of a segment, a pair
              (start, end) of characters, or a Word of another result (such as one of its sentences).
    chat:     the text is a user's message in the model's chat template.
    truncate: cut a text that is longer than the model's positions instead of refusing it.
    """

    target: str | int | None
    against: str | int | None
    generate: int | None
    per_token: bool
    position: int | str | None
    quantity: Literal["log_probability", "loss", "logit", "probability"] | None
    unit: Literal["word", "token", "sentence", "segment"]
    segments: Mapping[str, Sequence[int]] | Literal["paragraphs", "turns"] | None
    within: str | Sequence[int] | Word | None
    chat: bool
    truncate: bool


@dataclass(frozen=True)
class Question:
    """One text and its target, ready to run.

    units:  the pieces of the text that get a score; names: of segments, else empty.
    within: the piece of the text that they were chosen from, where it is not all of it.
    """

    model: Model
    objective: Objective
    unit: str
    units: tuple[WordSpan, ...]
    names: tuple[str, ...]
    within: pieces.Span | None = None
    chat: bool = False
    truncate: bool = False

    @property
    def per_token(self) -> bool:
        """Whether each target token has scores of its own."""
        return bool(self.objective.about)

    def pooled(self, tokens: NDArray[Any]) -> NDArray[np.float64]:
        """(…, token) -> (…, unit): the sum over each unit's tokens."""
        columns = [tokens[..., list(unit.tokens)].sum(-1) for unit in self.units]
        return np.stack(columns, -1).astype(np.float64)

    def spread(self, units: NDArray[Any]) -> NDArray[np.float64]:
        """(…, unit) -> (…, token): each token an equal share of its unit, nothing where there is none."""
        tokens = np.zeros((*units.shape[:-1], self.objective.scored))
        for i, unit in enumerate(self.units):
            tokens[..., list(unit.tokens)] = units[..., i, None] / len(unit.tokens)
        return tokens

    def answer(
        self,
        method: str,
        *,
        tokens: NDArray[Any],
        units: NDArray[Any],
        values: Sequence[float],
        family: str,
        options: Mapping[str, Any],
        signed: bool,
        asked: Asked | None = None,
        measured: Measured | None = None,
    ) -> Result:
        """The result of these scores, (target, token) and (target, unit), and of the target's values (target,)."""
        spans = zip(self.names, self.units, strict=True) if self.names else ()
        asked = replace(
            asked or Asked(),
            options=options,
            target=self.objective.explained,
            quantity=self.objective.quantity,
            unit=self.unit,
            segments={name: (unit.start, unit.end) for name, unit in spans},
            within=self.within,
            chat=self.chat,
            truncate=self.truncate,
        )
        measured = replace(
            measured or Measured(),
            value=None if self.per_token else float(values[0]),
            fixed=tuple(int(i) for i in self.objective.fixed),
        )
        encoded = self.objective.encoded
        first = Attribution(
            method=method,
            family=family,
            asked=asked,
            measured=measured,
            text=encoded.text,
            tokens=tuple(
                Token(t.text, t.start, t.end, t.special, float(score))
                for t, score in zip(encoded.tokens, tokens[0], strict=True)
            ),
            words=tuple(
                Word(encoded.text[u.start : u.end], u.start, u.end, float(score))
                for u, score in zip(self.units, units[0], strict=True)
            ),
            signed=signed,
            provenance=provenance(self.model),
        )
        if not self.per_token:
            return first
        about = [
            TargetToken(text, index, float(value))
            for (text, index), value in zip(self.objective.about, values, strict=True)
        ]
        return PerToken(first, tuple(about), np.asarray(tokens, float), np.asarray(units, float))


def questions(
    model: Model, text: str | Sequence[str], asking: Asking, method: str, runs: Callable[[int], int] = lambda _units: 1
) -> list[Question]:
    """One question a text, and a word before it starts about what a long one takes.

    runs: how many passes the method makes for so many units.

    Raises what `encode` and `resolve` raise, InputError for units that there are not, TooLargeError.
    """
    model = load(model)
    given = dict(asking)
    target = Target(**{name: given[name] for name in _TARGET if name in given})  # type: ignore[arg-type]
    unit, segments = asking.get("unit", "word"), asking.get("segments")
    if unit not in UNITS:
        raise InputError(f"unit={unit!r}: choose from {', '.join(UNITS)}")
    within = asking.get("within")
    if segments is not None and within is None:
        if "unit" in asking and unit != "segment":
            raise InputError(
                f"segments were given and unit={unit!r}: segments are scored with unit='segment', and what is inside "
                "one of them with within='its name'"
            )
        unit = "segment"
    if isinstance(within, str) and segments is None and unit != "segment":
        segments = "paragraphs"
    encoded = encoded_texts(model, text, chat=asking.get("chat", False), truncate=asking.get("truncate", False))
    asked = []
    for one in encoded:
        if target.generate is not None:
            foresee(model, "generate", len(one.tokens), target.generate)
        objective = resolve(model, one, target)
        units, names = _units(objective, unit, segments)
        piece = None if within is None else _piece(objective, within, segments)
        if piece is not None:
            units, names = _inside(units, names, piece)
        longest = max(reading.length for reading in objective.readings)
        passes = runs(len(units)) * len(objective.readings)
        foresee(model, method, longest, passes, max(1, len(objective.about)))
        asked.append(
            Question(
                model,
                objective,
                unit,
                units,
                names,
                piece,
                asking.get("chat", False),
                asking.get("truncate", False),
            )
        )
    return asked


def answers(text: str | Sequence[str], results: Sequence[Result]) -> Result | list[Result]:
    """One result for one text, a list for many."""
    return results[0] if isinstance(text, str) else list(results)


_TARGET = ("target", "against", "generate", "per_token", "position", "quantity")


def _units(
    objective: Objective, unit: str, segments: Mapping[str, Sequence[int]] | str | None
) -> tuple[tuple[WordSpan, ...], tuple[str, ...]]:
    encoded = objective.encoded
    if unit == "word":
        return encoded.words, ()
    if unit == "token":
        return _single_tokens(objective), ()
    if unit == "sentence":
        return pieces.gathered(pieces.sentences(encoded.text), encoded.words), ()
    named = _named(objective, segments)
    found = {name: pieces.gathered([span], encoded.words) for name, span in named.items()}
    if empty := [name for name, units in found.items() if not units]:
        raise InputError(f"the segment {empty[0]!r} has no words: give a piece of the text with words")
    return tuple(units[0] for units in found.values()), tuple(found)


def _named(objective: Objective, segments: Mapping[str, Sequence[int]] | str | None) -> dict[str, pieces.Span]:
    encoded = objective.encoded
    if isinstance(segments, str) and segments not in ("paragraphs", "turns"):
        raise InputError(f"segments={segments!r}: give 'paragraphs', 'turns' or {{name: (start, end)}}")
    if segments == "turns":
        return pieces.turns(encoded.text, encoded.tokens)
    if segments is None or isinstance(segments, str):
        return {f"paragraph {i + 1}": span for i, span in enumerate(pieces.paragraphs(encoded.text))}
    return pieces.checked(encoded.text, segments)


def _piece(
    objective: Objective, within: str | Sequence[int] | Word, segments: Mapping[str, Sequence[int]] | str | None
) -> pieces.Span:
    """Where `within` lies. Raises InputError for a piece that the text does not have."""
    if isinstance(within, str):
        named = _named(objective, segments)
        if within not in named:
            raise InputError(f"within={within!r}: the text's segments are {', '.join(map(repr, named))}")
        return named[within]
    span = (within.start, within.end) if isinstance(within, Word) else tuple(within)
    text = objective.encoded.text
    (found,) = pieces.checked(text, {"within": span}).values()
    if isinstance(within, Word) and text[found[0] : found[1]] != within.text:
        raise InputError(f"within is the word {within.text!r} of another text: give one of a result on this text")
    return found


def _inside(
    units: Sequence[WordSpan], names: Sequence[str], span: pieces.Span
) -> tuple[tuple[WordSpan, ...], tuple[str, ...]]:
    chosen = [i for i, unit in enumerate(units) if span[0] <= unit.start < span[1]]
    if not chosen:
        raise InputError(f"no unit begins within {span[0]}:{span[1]} of the text: give a larger piece or smaller units")
    return tuple(units[i] for i in chosen), tuple(names[i] for i in chosen if names)


def _single_tokens(objective: Objective) -> tuple[WordSpan, ...]:
    """Each token; those that share a character (bytes of one emoji) cannot be drawn apart and stay together."""
    units: list[WordSpan] = []
    for i, token in enumerate(objective.encoded.tokens):
        if token.special or token.start == token.end:
            continue
        if units and token.start < units[-1].end:
            last = units.pop()
            units.append(WordSpan(last.start, max(last.end, token.end), (*last.tokens, i)))
        else:
            units.append(WordSpan(token.start, token.end, (i,)))
    return tuple(units)
