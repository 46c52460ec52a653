"""Texts longer than the model's positions: read in overlapping windows, each a text of its own, and put together.

Every window begins half a window after the one before, so that all but the ends of a text are read twice, with words on
either side. Where windows meet, a score is the mean of theirs. A target is asked of every window by itself: of a
classifier's label each window has its own probability, and the result's value is their mean.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.methods.request import UNASKED, Request
from attnscope.methods.units import units_of, words_in
from attnscope.models.architecture import task_of
from attnscope.models.inputs.encode import Encoded, encode
from attnscope.models.loading.load import Model
from attnscope.results.attribution import Attribution, Token, Word
from attnscope.results.plain import plain_numbers

# What is left of a window beside its special tokens: fewer tokens would be no context.
_FEWEST = 8


@dataclass(frozen=True)
class Windows:
    """A text of any length, and where its windows begin and end, in characters."""

    encoded: Encoded
    spans: tuple[tuple[int, int], ...]

    def __iter__(self) -> Iterator[str]:
        return (self.encoded.text[start:end] for start, end in self.spans)

    def __len__(self) -> int:
        return len(self.spans)


def check_window(model: Model, request: Request) -> int:
    """The window's number of tokens. Raises InputError for a request that cannot be asked of each window by itself."""
    window = plain_numbers(request.window)
    limit = model.positions
    if type(window) is not int or window < _FEWEST or (limit is not None and window > limit):
        most = "" if limit is None else f" and no more than the model's {limit}"
        raise InputError(
            f"window={request.window!r}: give the number of tokens to read at a time, {_FEWEST} or more{most} (how "
            "much occlusion covers at a time is width=)"
        )
    follows = request.target is not None and task_of(model.model) != "classifier"
    for name in ("generate", "per_token", "position", "segments", "within", "chat", "text_pair"):
        if follows or request.given(name):
            asked = "a target that follows the text" if follows else name
            raise InputError(
                f"window was given with {asked}, which belongs to the whole text and not to each window: leave one out"
            )
    if request.query is not UNASKED and request.query is not None:
        raise InputError("window was given with a query, which is in some windows only: leave query out for the mean")
    return window


def windows_of(model: Model, text: str, window: int) -> Windows:
    """The windows of a text: at most `window` tokens each, special tokens included; a word is cut nowhere."""
    encoded = encode(model.tokenizer, text)
    words = encoded.words
    special = sum(token.special for token in encoded.tokens)
    room = window - special
    if len(encoded.tokens) <= window:
        return Windows(encoded, ((0, len(text)),))
    if room < _FEWEST:
        raise InputError(
            f"window={window} leaves room for {room} tokens beside {special} special ones: give a larger window"
        )
    counts = np.cumsum([0, *(len(word.tokens) for word in words)])
    spans: list[tuple[int, int]] = []
    first = 0
    while True:
        last = max(first + 1, int(np.searchsorted(counts, counts[first] + room, "right")) - 1)
        # A window's own tokens may be more than those of the same words in the text.
        while last > first + 1 and len(encode(model.tokenizer, _slice(encoded, first, last)).tokens) > window:
            last -= 1
        spans.append(_span(encoded, first, last))
        if last == len(words):
            return Windows(encoded, tuple(spans))
        first = max(first + 1, int(np.searchsorted(counts, counts[first] + room // 2, "left")))
        first = min(first, last)


def _span(encoded: Encoded, first: int, last: int) -> tuple[int, int]:
    """The characters of the words from `first` to before `last`, and the white space in its first token."""
    words, tokens = encoded.words, encoded.tokens
    start = 0 if first == 0 else min(tokens[i].start for i in words[first].tokens)
    start = max(start, 0 if first == 0 else words[first - 1].end)
    return start, len(encoded.text) if last == len(words) else words[last - 1].end


def _slice(encoded: Encoded, first: int, last: int) -> str:
    start, end = _span(encoded, first, last)
    return encoded.text[start:end]


def put_together(windows: Windows, results: Sequence[Attribution], request: Request, window: int) -> Attribution:
    """One result for the whole text."""
    encoded, first = windows.encoded, results[0]
    units = units_of(encoded, request.unit)
    words = words_in(encoded, units)
    of_words, of_tokens = (_per_character(windows, results, of) for of in ("words", "tokens"))
    values = [result.measured.value for result in results if result.measured.value is not None]
    masses = [result.excluded_mass for result in results if result.excluded_mass is not None]
    errors = [e for result in results if (e := result.measured.completeness_error) is not None]
    # Tokens that share a character, such as its bytes, share its score.
    readers = np.zeros(len(encoded.text) + 1)
    for token in encoded.tokens:
        readers[token.start : token.end] += not token.special
    of_tokens = of_tokens / np.maximum(readers, 1)
    return replace(
        first,
        text=encoded.text,
        tokens=tuple(
            Token(t.text, t.start, t.end, t.special, 0.0 if t.special else float(of_tokens[t.start : t.end].sum()))
            for t in encoded.tokens
        ),
        words=tuple(
            Word(encoded.text[start:end], start, end, float(of_words[start:end].sum())) for start, end in words.spans
        ),
        asked=replace(first.asked, window=window),
        measured=replace(
            first.measured,
            value=float(np.mean(values)) if values else None,
            excluded_mass=float(np.mean(masses)) if masses else None,
            completeness_error=max(errors, key=abs) if errors else None,
            standard_error=None,
            query_tokens=None,
            fixed=(),
            shared_words=words.shared,
            windows=windows.spans,
        ),
    )


def _per_character(windows: Windows, results: Sequence[Attribution], of: str) -> NDArray[np.float64]:
    """(character,) What the words or tokens of the windows give each character, in the mean over its windows."""
    total = np.zeros(len(windows.encoded.text) + 1)
    read = np.zeros_like(total)
    for (start, end), result in zip(windows.spans, results, strict=True):
        read[start:end] += 1
        for item in getattr(result, of):
            if item.start < item.end and not getattr(item, "special", False):
                total[start + item.start : start + item.end] += item.score / (item.end - item.start)
    return total / np.maximum(read, 1)
