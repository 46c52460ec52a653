"""Faithfulness: does the model rely on the words that the explanation points at?

Each metric takes words away, or leaves only some, in the order of the scores, and watches p(y | x), the probability
that the model gives the explained label y on the text x. "The strongest words" are those with the highest scores: of
signed scores, the words that speak most for the label.
"""

import math
from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnscope.metrics.query import (
    UNDEFINED,
    Explanation,
    LogProbability,
    MetricGenerator,
    Query,
    SoftenedLogProbability,
    WordSet,
)
from attnscope.results.statistics import spearman

# Shares of the words, as in ERASER (DeYoung et al. 2020).
BINS = (0.01, 0.05, 0.1, 0.2, 0.5)
# How many sets of each size the beam search of `normalised_aopc` keeps.
BEAM = 3
# How many of the strongest words `top_drop` takes away, and how many random sets `lds` looks at.
TOP = (1, 3, 5)
SETS = 32
# Of all words, the share that softened texts keep in expectation, whatever the scores.
KEPT = 0.5
# How many softened versions of a text the soft metrics average over.
SOFT_SAMPLES = 4

# A generator whose result is (set,) or (step,).
ArrayGenerator = Generator[Query, NDArray[np.float64], NDArray[np.float64]]


def comprehensiveness(explanation: Explanation) -> MetricGenerator:
    """mean over bins k of p(y | x) − p(y | x without its k strongest words); higher is better.

    A difference of probabilities, from -1 to 1. The bins are 1, 5, 10, 20 and 50 % of the words, and at least one word
    each; bins that come to the same number of words, as in short texts, count once (DeYoung et al. 2020, ERASER,
    arXiv:1911.03429, count them as often as they come). It misleads because a text with holes is unlike the texts that
    the model was trained on, and where two words say the same thing: removing one changes nothing.
    """
    return float((yield from probability_drops(strongest_words_of_bins(explanation))).mean())


def sufficiency(explanation: Explanation) -> MetricGenerator:
    """mean over bins k of p(y | x) − p(y | only the k strongest words of x); lower is better.

    A difference of probabilities, from -1 to 1, over the bins of `comprehensiveness` (DeYoung et al. 2020, ERASER,
    arXiv:1911.03429). It misleads because a text of one or two words is unlike the texts that the model knows.
    """
    others = tuple(explanation.all_words - words for words in strongest_words_of_bins(explanation))
    return float((yield from probability_drops(others)).mean())


def log_odds(explanation: Explanation) -> MetricGenerator:
    """mean over bins k of log p(y | x without its k strongest words) − log p(y | x); lower is better.

    In nats, over the bins of `comprehensiveness` (Chen and Ji 2020, arXiv:2010.00667; the name is theirs, though it is
    a ratio of probabilities, not of odds). Unlike a difference of probabilities it has no floor, so that one text can
    outweigh many.
    """
    log_probabilities = yield LogProbability((frozenset(), *strongest_words_of_bins(explanation)))
    return float((log_probabilities[1:] - log_probabilities[0]).mean())


def top_drop(explanation: Explanation) -> MetricGenerator:
    """mean over k in 1, 3, 5 of log p(y | x) − log p(y | x without its k strongest words); higher is better.

    In nats; only those k that are fewer than the words, and at least k = 1. The top-k log-probability drop of
    ContextCite (Cohen-Wang et al. 2024, arXiv:2409.00729), there of sources: `evaluate_citation` measures it so, each k
    by itself.
    Unlike a difference of probabilities it has no ceiling, so that one text can outweigh many.
    """
    sets = tuple(frozenset(explanation.order[:k]) for k in TOP if k == 1 or k < len(explanation.order))
    log_probabilities = yield LogProbability((frozenset(), *sets))
    return float((log_probabilities[0] - log_probabilities[1:]).mean())


def lds(explanation: Explanation) -> MetricGenerator:
    """Spearman's correlation of Σ scores of kept words with log p(y | kept words); higher is better.

    From -1 to 1, over 32 random sets that keep each word with probability 1/2, the same for every method: the linear
    datamodelling score (Park et al. 2023, arXiv:2303.14186), as ContextCite uses it; `evaluate_citation` measures it of
    sources. Equal scores predict nothing and count 0. Not defined where the prediction is the same on every set. It
    misleads for scores without a sign, and where words matter only together: then no sum predicts the value.
    """
    kept = np.random.default_rng(0).random((SETS, len(explanation.scores))) < KEPT
    values = yield LogProbability(tuple(frozenset(np.flatnonzero(~row).tolist()) for row in kept))
    return predicted_ranks(explanation.scores, kept, values)


def predicted_ranks(scores: NDArray[np.float64], kept: NDArray[Any], values: NDArray[np.float64]) -> float:
    """The rank correlation of Σ scores of what is kept with the values: 0 for equal scores or sums, UNDEFINED for equal
    values.

    scores: (part,); kept: (set, part), 1 or True where a part is kept; values: (set,).
    """
    if np.ptp(values) == 0:
        return UNDEFINED
    # Sums of equal scores rank sets by their sizes, which is nothing that the scores say.
    if np.ptp(scores) == 0:
        return 0.0
    return float(np.nan_to_num(spearman(kept @ scores, values)))


def aopc(explanation: Explanation) -> MetricGenerator:
    """1/(n+1) · Σ_{k=0..n} p(y | x) − p(y | x without its k strongest words); higher is better.

    The area over the perturbation curve: a difference of probabilities, from -1 to 1, over all n words (Samek et al.
    2017, arXiv:1509.06321). Its possible range depends on the model and the text: compare methods with it, not data
    sets, or use `normalised_aopc`.
    """
    return float((yield from probability_drops(removal_path(explanation))).mean())


def normalised_aopc(explanation: Explanation) -> MetricGenerator:
    """(AOPC − low) / (high − low), with the lowest and the highest AOPC of any order of the words; higher is better.

    From 0 to 1 where the bounds are exact. They come from a beam search that keeps the 3 best sets of each size (Edin
    et al. 2024, arXiv:2408.08137), which is exact for up to three words; a method that finds a better order than the
    search scores above 1. Not defined where no order changes anything. It costs about 3 · n² texts for n words, shared
    by all methods.
    """
    own_aopc = yield from aopc(explanation)
    high = yield from _extreme_aopc(len(explanation.scores), 1)
    low = yield from _extreme_aopc(len(explanation.scores), -1)
    return (own_aopc - low) / (high - low) if high > low else UNDEFINED


def deletion_area(explanation: Explanation) -> MetricGenerator:
    """The area under p(y) while the strongest words are removed one by one, from 0 to 1; lower is better.

    Most relevant first (MoRF; Samek et al. 2017, arXiv:1509.06321; Petsiuk et al. 2018, arXiv:1806.07421). It misleads
    where `comprehensiveness` does.
    """
    return area_under((yield from deletion_curve(explanation)))


def insertion_area(explanation: Explanation) -> MetricGenerator:
    """The area under p(y) while words are added to an empty text, the strongest first, 0 to 1; higher is better.

    Read backwards, the weakest words are removed first (LeRF), so the area is the same (Petsiuk et al. 2018,
    arXiv:1806.07421). It misleads where `sufficiency` does.
    """
    return area_under((yield from insertion_curve(explanation)))


def soft_comprehensiveness(explanation: Explanation) -> MetricGenerator:
    """max(0, p(y | x) − p(y | x softened)) / (p(y | x) − p(y | words of zeros)); higher is better.

    From 0 to 1, and above 1 where softened words hurt more than zeros; the authors' code cuts off at 1. Each number of
    a word's embedding is set to zero with a probability, the word's min–max scaled score (Zhao and Aletras 2023,
    arXiv:2305.10496), moved up or down so that half of all words goes in expectation: else a method with larger scores
    would win by taking more away. That methods must be compared at one expected share π is arXiv:2601.03089
    (π-Soft-NC, whose values are areas under the curve over π); that the share is a half, and that scores are moved to
    it by adding one number and cutting off at 0 and 1, is ours, so that values are not to be set beside the paper's.
    The mean over 4 draws. There are no bins, so the scores themselves count, not only their order.
    It misleads because embeddings with few numbers left are unlike any that the model was trained on. Not defined where
    words of zeros do not lower the prediction.
    """
    whole, softened, zeros = yield from _softened_probabilities(explanation, keep_strong=False)
    return max(0.0, whole - softened) / (whole - zeros) if whole > zeros else UNDEFINED


def soft_sufficiency(explanation: Explanation) -> MetricGenerator:
    """1 − max(0, p(y | x) − p(y | x softened)) / (p(y | x) − p(y | words of zeros)); higher is better.

    From 0 to 1, and below 0 where softened words hurt more than zeros; the authors' code cuts off at 0. Each number of
    a word's embedding is kept with a probability, the word's min–max scaled score, moved so that half of all words is
    kept, else set to zero (Zhao and Aletras 2023, arXiv:2305.10496, their normalised form; at one expected share as
    π-Soft-NS of arXiv:2601.03089, moved there as in `soft_comprehensiveness`). The mean over 4 draws. Unlike for
    `sufficiency`, higher is better. It misleads where `soft_comprehensiveness` does, and is not defined where words of
    zeros do not lower the prediction.
    """
    whole, softened, zeros = yield from _softened_probabilities(explanation, keep_strong=True)
    return 1 - max(0.0, whole - softened) / (whole - zeros) if whole > zeros else UNDEFINED


def deletion_curve(explanation: Explanation) -> ArrayGenerator:
    """p(y) without the 0, 1, …, n strongest words: (n + 1,). The most relevant words go first (MoRF)."""
    return np.exp((yield LogProbability(removal_path(explanation))))


def insertion_curve(explanation: Explanation) -> ArrayGenerator:
    """p(y) with only the 0, 1, …, n strongest words: (n + 1,). Read backwards, the weakest words go first (LeRF)."""
    return np.exp((yield LogProbability(tuple(explanation.all_words - kept for kept in removal_path(explanation)))))


def area_under(curve: NDArray[np.float64]) -> float:
    """The area under a curve whose ends lie at 0 and 1, by trapezoids.

    >>> area_under(np.array([1.0, 0.0, 0.0]))
    0.25
    """
    return float(np.trapezoid(curve, dx=1 / (len(curve) - 1)))


def strongest_words(explanation: Explanation, share: float) -> WordSet:
    """The strongest `share` of the words, rounded up: at least one.

    >>> sorted(strongest_words(Explanation(np.array([0.1, 0.9, 0.5]), False), 0.5))
    [1, 2]
    """
    # Without the tolerance, 0.07 of 100 words would be 8: in floats, 0.07 * 100 is a little over 7.
    return frozenset(explanation.order[: max(1, math.ceil(share * len(explanation.order) - 1e-9))])


def strongest_words_of_bins(explanation: Explanation) -> tuple[WordSet, ...]:
    """The strongest words of each bin; bins of the same words once."""
    return tuple(dict.fromkeys(strongest_words(explanation, share) for share in BINS))


def removal_path(explanation: Explanation) -> tuple[WordSet, ...]:
    """The 0, 1, 2, …, n strongest words."""
    return tuple(frozenset(explanation.order[:count]) for count in range(len(explanation.order) + 1))


def probability_drops(sets: tuple[WordSet, ...]) -> ArrayGenerator:
    """How far the label's probability drops without the words of each set: (set,)."""
    probabilities = np.exp((yield LogProbability((frozenset(), *sets))))
    drops: NDArray[np.float64] = probabilities[0] - probabilities[1:]
    return drops


def _extreme_aopc(words: int, sign: int) -> MetricGenerator:
    """The highest (sign 1) or lowest (-1) AOPC of any order of this many words, as far as the beam search finds it."""
    beam: dict[WordSet, float] = {frozenset(): 0.0}
    for _ in range(words):
        # Of all orders that lead to the same set only the best is kept: what follows depends on the set alone.
        best_before: dict[WordSet, float] = {}
        for removed, total in beam.items():
            for word in range(words):
                if word not in removed:
                    larger = removed | {word}
                    best_before[larger] = max(best_before.get(larger, -np.inf), total)
        sets = sorted(best_before, key=sorted)
        drops = yield from probability_drops(tuple(sets))
        totals = {removed: best_before[removed] + sign * float(drop) for removed, drop in zip(sets, drops, strict=True)}
        beam = dict(sorted(totals.items(), key=lambda item: -item[1])[:BEAM])
    return sign * max(beam.values()) / (words + 1)


def _softened_probabilities(
    explanation: Explanation, *, keep_strong: bool
) -> Generator[Query, NDArray[np.float64], tuple[float, float, float]]:
    """p(y) on the text, on the text with softened words (mean over samples), and with all words set to zero.

    Each number of a word's embedding is kept with a probability: the word's score, min–max scaled over the text, or one
    minus that, moved so that the mean is KEPT. If all words of a text score the same, half of each word is kept.
    """
    scores = explanation.scores
    spread = np.ptp(scores)
    scaled = (scores - scores.min()) / spread if spread > 0 else np.full(len(scores), 0.5)
    keep = shifted_to_share(scaled if keep_strong else 1 - scaled, KEPT)
    whole = np.exp((yield SoftenedLogProbability((1.0,) * len(scores), 1, 0)))
    zeros = np.exp((yield SoftenedLogProbability((0.0,) * len(scores), 1, 0)))
    softened = np.exp((yield SoftenedLogProbability(tuple(keep.tolist()), SOFT_SAMPLES, 0)))
    return float(whole[0]), float(softened.mean()), float(zeros[0])


def shifted_to_share(probabilities: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """The probabilities moved up or down together, and cut off at 0 and 1, so that their mean is `share`.

    >>> shifted_to_share(np.array([0.0, 0.0, 0.0, 1.0]), 0.5).round(3).tolist()
    [0.333, 0.333, 0.333, 1.0]
    """
    low, high = -1.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.clip(probabilities + middle, 0, 1).mean() < share else (low, middle)
    return np.asarray(np.clip(probabilities + high, 0, 1), dtype=np.float64)
