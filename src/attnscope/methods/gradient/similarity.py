"""Which words of two texts make them similar: integrated gradients on both sides at once."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.methods import cost as costs
from attnscope.methods.build import provenance
from attnscope.methods.gradient.integrated_gradients import points
from attnscope.methods.plan import Work, foresee
from attnscope.methods.table import SHORTER
from attnscope.methods.units import Units, Words, units_of, words_in
from attnscope.models.default_settings import default_settings
from attnscope.models.embeddings import baseline_vector
from attnscope.models.gradients.jacobian import Movement, movement
from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model, load
from attnscope.models.targets.similar import pooling_of, read_text
from attnscope.results.attribution import Attribution, Token, Word
from attnscope.results.base import Asked, Measured
from attnscope.results.plain import plain_numbers
from attnscope.results.similarity import Similarity

_UNITS = ("word", "token", "character", "sentence")
_WORK = Work("similarity", costs.texts, f"take fewer steps, or {SHORTER}", lambda _options, _units: 1, {})


def similarity(
    model: Model,
    text: str,
    other: str,
    *,
    baseline: Literal["pad", "mean", "mask", "zero"] | None = None,
    steps: int = 20,
    unit: Literal["word", "token", "character", "sentence"] = "word",
    truncate: bool = False,
) -> Similarity:
    """A score for every pair of words of two texts, by integrated Jacobians (Moeller et al. 2023, arXiv:2310.05703).

    score(token i, token j) = (x_i − b)ᵀ J_xᵀ J_y (y_j − b), with J_x = ∫₀¹ ∂v(b + α(x − b))/∂x_i dα, and v the text's
    vector: for a cosine its unit vector. Signed: positive pairs make the texts more similar. A pair of words is the sum
    of the pairs of their tokens, and swapping the texts turns the matrix round.

    The scores add up, for the similarity s and texts b_x and b_y at the baseline, to s(x, y) − s(x, b_y) − s(b_x, y) +
    s(b_x, b_y); `error` is how far they miss it. What is left of s(x, y) is in `base` = s(b_x, b_y) and in what the
    words of each text do against the other's baseline, `left_alone` and `right_alone`.

    baseline: where a token's embedding starts, as in `integrated_gradients`; by default the padding token's, as in the
              paper, or the vocabulary's mean where there is none. Special tokens stay.
    steps:    points on the path of each text (Gauss–Legendre): the more, the smaller `error`.
    unit:     what is scored. truncate: cut a text that is too long instead of refusing it.

    It takes steps × tokens passes for each text. Raises TextError, TextTooLongError; ModelError for a model whose
    pooling is not known, that compares by a distance, or that has no derivative forwards.

    >>> encoder = ats.load(pooling="mean")
    >>> pairs = ats.similarity(encoder, "cats sleep", "kittens rest", steps=5)
    >>> pairs.scores.shape
    (2, 2)
    """
    model, steps = load(model), plain_numbers(steps)
    if type(steps) is not int or steps < 1:
        raise InputError(f"steps={steps!r}: give a whole number, 1 or more")
    if unit not in _UNITS:
        raise InputError(f"unit={unit!r}: choose from {', '.join(_UNITS)}")
    given = {"the text": text, "the other text": other}
    for what, one in given.items():
        if not isinstance(one, str):
            raise InputError(f"{what} is of type {type(one).__name__}: give two texts, each a str")
    chosen = baseline or ("mean" if model.tokenizer.pad_token_id is None else "pad")
    with default_settings():
        pooling = pooling_of(model)
        start = baseline_vector(model, chosen)
        read = [read_text(model, one, truncate, what) for what, one in given.items()]
        for encoded in read:
            foresee(model, _WORK, len(encoded.tokens), runs=3 * steps * len(encoded.tokens))
        path = [(float(alpha), float(weight)) for alpha, weight in zip(*points(steps, "gauss-legendre"), strict=True)]
        left, right = (movement(model.model, pooling, encoded, start, path) for encoded in read)
    asked = Asked(options={"baseline": chosen, "steps": steps}, quantity=pooling.name, unit=unit, truncate=truncate)
    return _result(model, read, (left, right), asked)


def _result(model: Model, read: Sequence[Encoded], moved: tuple[Movement, Movement], asked: Asked) -> Similarity:
    left, right = moved
    tokens = (left.by_token.T @ right.by_token).numpy()
    alone = [(left.by_token.T @ right.start).numpy(), (right.by_token.T @ left.start).numpy()]
    units = [units_of(encoded, asked.unit) for encoded in read]
    words = [words_in(encoded, unit) for encoded, unit in zip(read, units, strict=True)]
    scores = _pooled(units[0], words[0], _pooled(units[1], words[1], tokens).T).T
    value = float(left.end @ right.end)
    base, to_baseline = float(left.start @ right.start), (float(left.end @ right.start), float(left.start @ right.end))
    measured = Measured(value=value, completeness_error=abs(float(tokens.sum()) - (value - sum(to_baseline) + base)))
    sides = [
        Attribution(
            method="similarity",
            family="gradient",
            text=encoded.text,
            tokens=tuple(
                Token(token.text, token.start, token.end, token.special, float(score))
                for token, score in zip(encoded.tokens, tokens.sum(1 - side), strict=True)
            ),
            words=tuple(
                Word(encoded.text[start:end], start, end, float(score))
                for (start, end), score in zip(words[side].spans, scores.sum(1 - side), strict=True)
            ),
            asked=asked,
            measured=Measured(**{**vars(measured), "shared_words": words[side].shared}),
            signed=True,
            provenance=provenance(model),
        )
        for side, encoded in enumerate(read)
    ]
    of_words = [_pooled(unit, word, row) for unit, word, row in zip(units, words, alone, strict=True)]
    return Similarity(sides[0], sides[1], scores, tokens, of_words[0], of_words[1], base, to_baseline)


def _pooled(units: Units, words: Words, tokens: NDArray[np.float64]) -> NDArray[np.float64]:
    """(…, token) -> (…, word)."""
    return words.scores(units.pooled(tokens), tokens)
