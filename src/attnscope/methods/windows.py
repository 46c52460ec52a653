"""Texts longer than the model's positions: read in overlapping windows, each a text of its own, and put together.

Every window begins half a window after the one before, so that all but the ends of a text are read twice, with words on
either side. Where windows meet, a score is the mean of theirs. A target is asked of every window by itself: of a
classifier's label each window has its own probability, and the result's value is their mean. All windows of a text
explain one label: without a target, the one that the model predicts of them together.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.methods.request import UNASKED, Request
from attnscope.methods.units import units_of, words_in
from attnscope.models.architecture import task_of
from attnscope.models.inputs.encode import Encoded, encode
from attnscope.models.loading.load import Model
from attnscope.models.targets.labels import predicted_label
from attnscope.results.attribution import Attribution, Token, Word
from attnscope.results.base import Measured
from attnscope.results.plain import plain_numbers
from attnscope.text.words import WordSpan, tokens_as_words

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
    for name in ("generate", "per_token", "position", "similar_to", "segments", "within", "chat", "text_pair"):
        if follows or request.given(name):
            asked = "a target that follows the text" if follows else name
            raise InputError(
                f"window was given with {asked}, which belongs to the whole text and not to each window: leave one out"
            )
    if request.query is not UNASKED and request.query is not None:
        raise InputError("window was given with a query, which is in some windows only: leave query out for the mean")
    return window


def windows_of(model: Model, text: str, window: int) -> Windows:
    """The windows of a text: at most `window` tokens each, special tokens included.

    They are cut between words; a word longer than a window (a protein) is cut between its tokens.
    """
    encoded = encode(model.tokenizer, text)
    special = sum(token.special for token in encoded.tokens)
    room = window - special
    if len(encoded.tokens) <= window:
        return Windows(encoded, ((0, len(text)),))
    if room < _FEWEST:
        raise InputError(
            f"window={window} leaves room for {room} tokens beside {special} special ones: give a larger window"
        )
    pieces = _pieces(encoded, room)
    counts = np.cumsum([0, *(len(piece.tokens) for piece in pieces)])
    spans: list[tuple[int, int]] = []
    first = 0
    while True:
        last = max(first + 1, int(np.searchsorted(counts, counts[first] + room, "right")) - 1)
        span = _span(encoded, pieces, first, last)
        # A window's own tokens may be more than those of the same words in the text.
        while last > first + 1 and len(encode(model.tokenizer, text[slice(*span)]).tokens) > window:
            last -= 1
            span = _span(encoded, pieces, first, last)
        spans.append(span)
        if last == len(pieces):
            return Windows(encoded, tuple(spans))
        first = max(first + 1, int(np.searchsorted(counts, counts[first] + room // 2, "left")))
        first = min(first, last)


def _pieces(encoded: Encoded, room: int) -> list[WordSpan]:
    """What windows are made of: words, and the tokens of words that have no room in one."""
    pieces: list[WordSpan] = []
    for word in encoded.words:
        if len(word.tokens) <= room:
            pieces.append(word)
            continue
        for part in tokens_as_words([encoded.tokens[i] for i in word.tokens]):
            pieces.append(WordSpan(part.start, part.end, tuple(word.tokens[i] for i in part.tokens)))
    return pieces


def _span(encoded: Encoded, pieces: Sequence[WordSpan], first: int, last: int) -> tuple[int, int]:
    """The characters of the pieces from `first` to before `last`, and the white space in its first token."""
    start = 0
    if first:
        start = max(min(encoded.tokens[i].start for i in pieces[first].tokens), pieces[first - 1].end)
    return start, len(encoded.text) if last == len(pieces) else pieces[last - 1].end


def label_of_all(model: Model, windows: Windows) -> int:
    """The label that a classifier predicts of the windows together."""
    return predicted_label(model, [encode(model.tokenizer, piece).inputs for piece in windows])


def put_together(windows: Windows, results: Sequence[Attribution], request: Request, window: int) -> Attribution:
    """One result for the whole text."""
    encoded, first = windows.encoded, results[0]
    asked = replace(first.asked, window=window)
    if len(results) == 1:
        return replace(first, asked=asked, measured=replace(first.measured, windows=windows.spans))
    units = units_of(encoded, request.unit)
    words = words_in(encoded, units)
    of_words = _per_character(windows, [[(w.start, w.end, w.score) for w in result.words] for result in results])
    of_tokens = _per_character(
        windows, [[(t.start, t.end, t.score) for t in result.tokens if not t.special] for result in results]
    )
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
        asked=asked,
        measured=replace(
            _measured(windows, results, words.spans),
            query_tokens=None,
            fixed=(),
            interactions=(),
            shared_words=words.shared,
            windows=windows.spans,
        ),
    )


def _measured(windows: Windows, results: Sequence[Attribution], spans: Sequence[tuple[int, int]]) -> Measured:
    """What was measured: means over the windows; of what says how good the scores are, that of the worst window.

    A standard error is put together as a score is, which is a bound.
    """
    together: dict[str, Any] = {}
    for name, of_windows in _TOGETHER.items():
        values = [value for result in results if (value := getattr(result.measured, name)) is not None]
        if values:
            together[name] = of_windows(values)
    errors = None
    if all(result.measured.standard_error is not None for result in results):
        of_errors = _per_character(
            windows,
            [
                [(w.start, w.end, e) for w, e in zip(result.words, result.measured.standard_error or (), strict=True)]
                for result in results
            ],
        )
        errors = tuple(float(of_errors[start:end].sum()) for start, end in spans)
    return replace(results[0].measured, **together, standard_error=errors)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


_TOGETHER: Mapping[str, Callable[[list[Any]], Any]] = {
    "value": _mean,
    "baseline_value": _mean,
    "excluded_mass": _mean,
    "completeness_error": lambda values: max(values, key=abs),
    "r_squared": min,
    "steps": max,
    "rebuilt": max,
}
_Placed = tuple[int, int, float]


def _per_character(windows: Windows, placed: Sequence[Sequence[_Placed]]) -> NDArray[np.float64]:
    """(character,) What the numbers of each window, (start, end, number), give each character, in the mean."""
    total = np.zeros(len(windows.encoded.text) + 1)
    read = np.zeros_like(total)
    for (begin, stop), numbers in zip(windows.spans, placed, strict=True):
        read[begin:stop] += 1
        for start, end, number in numbers:
            if start < end:
                total[begin + start : begin + end] += number / (end - start)
    return total / np.maximum(read, 1)
