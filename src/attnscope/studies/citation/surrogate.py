"""A sparse linear surrogate over random sets of sources (ContextCite, arXiv:2409.00729), with intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.studies.citation.lasso import lasso
from attnscope.studies.citation.setup import Setup

Floats = NDArray[np.float64]
# Of the paper: each source is kept in half of the masks, and the penalty is taken of a token's mean logit.
_KEPT = 0.5
PENALTY = 0.01
_RESAMPLES = 200
# With a tolerance: the first round, and the most masks.
_FIRST, _MOST = 32, 1_024


@dataclass(frozen=True)
class Fitted:
    """(statement, source): scores and the ends of their 95 % intervals; and how well they predict other masks.

    narrow: whether the intervals are as narrow as was asked; None where nothing was.
    """

    scores: Floats
    low: Floats
    high: Floats
    masks: int
    narrow: bool | None


def surrogate(setup: Setup, masks: int | None, tolerance: float | None, seed: int) -> Fitted:
    """The slopes of each statement's logit on which sources are kept.

    y = log(p / (1 − p)), p the statement's probability. (a, b) minimise the mean of ½(y/n − a − b·z̃)² + 0.01 · |b|₁,
    n the statement's tokens, z̃ the standardised masks; the score is n·b, in logits. Intervals: the 2.5th and the
    97.5th percentile of 200 fits to masks drawn with replacement.

    masks: how many, 64 by default. tolerance: go on, twice as many each time, until no interval reaches further than
    this from its middle, or there are 1,024 masks.
    """
    if masks is not None and (type(masks) is not int or masks < 8):
        raise InputError(f"masks={masks!r}: give a whole number, 8 or more")
    if tolerance is not None and not tolerance > 0:
        raise InputError(f"tolerance={tolerance!r}: give the half width that an interval may have, such as 0.5")
    generator = np.random.default_rng(seed)
    count = masks or (64 if tolerance is None else _FIRST)
    most = count if tolerance is None else max(count, _MOST)
    kept = np.zeros((0, len(setup.parts)))
    logits = np.zeros((len(setup.statements), 0))
    while True:
        new = drawn(generator, count - len(kept), len(setup.parts))
        logits = np.concatenate([logits, logits_of(setup, new)], 1)
        kept = np.concatenate([kept, new])
        scores, low, high = fitted(kept, logits, tokens_of(setup), seed)
        narrow = None if tolerance is None else bool((high - low).max() / 2 <= tolerance)
        if narrow is not False or count >= most:
            return Fitted(scores, low, high, count, narrow)
        count = min(2 * count, most)


def drawn(generator: np.random.Generator, count: int, sources: int) -> Floats:
    """(mask, source) Random masks, 1 where a source is kept; of one seed, fewer are the first of more."""
    return (generator.random((count, sources)) < _KEPT).astype(np.float64)


def logits_of(setup: Setup, kept: Floats) -> Floats:
    """(mask, source), 1 where a source is kept -> (statement, mask): the logits of the statements' probabilities."""
    removed = [setup.tokens(np.flatnonzero(row == 0).tolist()) for row in kept]
    return logit(setup.values_without(removed)).T


def logit(log_probability: Floats) -> Floats:
    """log p − log(1 − p), from log p; finite for p that rounds to 1."""
    below = np.minimum(log_probability, -1e-7)
    found: Floats = log_probability - np.log(-np.expm1(below))
    return found


def tokens_of(setup: Setup) -> Floats:
    """(statement,) How many tokens each has."""
    return np.bincount(setup.token_statement, minlength=len(setup.statements)).clip(1).astype(np.float64)


def fitted(kept: Floats, logits: Floats, tokens: Floats, seed: int) -> tuple[Floats, Floats, Floats]:
    """Scores (statement, source), and the ends of their intervals."""
    per_token = logits / tokens[:, None]
    scores = lasso(kept, per_token, PENALTY) * tokens[:, None]
    generator = np.random.default_rng(seed + 1)
    times = generator.multinomial(len(kept), np.full(len(kept), 1 / len(kept)), _RESAMPLES).astype(np.float64)
    low, high = np.zeros_like(scores), np.zeros_like(scores)
    for k, row in enumerate(per_token):
        again = lasso(kept, np.broadcast_to(row, times.shape), PENALTY, times) * tokens[k]
        low[k], high[k] = np.quantile(again, [0.025, 0.975], axis=0)
    return scores, np.minimum(low, scores), np.maximum(high, scores)
