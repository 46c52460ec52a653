"""What every picture of a comparison says: colours on a common scale, signs, numbers."""

from dataclasses import dataclass

import numpy as np

from attnscope.render.colours import LIGHT
from attnscope.render.content.caption import number, unit
from attnscope.results.comparison import ComparedSide, Comparison, WordPair
from attnscope.results.scaling import min_max, symmetric
from attnscope.translation import say


@dataclass(frozen=True)
class Scale:
    """Colour steps of the words of both sides. low, high: the raw scores at the ends; words: the scale in words."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    low: float
    high: float
    words: str


def scale_of(pair: Comparison) -> Scale:
    """A common scale where one model scored both sides; else each side has a scale of its own, for shares."""
    one = pair.left.result.provenance.get("model") == pair.right.result.provenance.get("model")
    signed = pair.left.result.signed
    if one:
        both = np.concatenate([pair.left.result.scores, pair.right.result.scores])
        what = unit(pair.left.result)
    else:
        # Scores of two models have no common unit, but their shares of all scores do.
        both = np.concatenate(
            [
                side.shares * (np.where(side.result.scores < 0, -1, 1) if signed else 1)
                for side in (pair.left, pair.right)
            ]
        )
        what = say("share of all scores")
    scaled = symmetric(both) if signed else min_max(both)
    steps = [LIGHT.step(float(s)) for s in scaled]
    cut = len(pair.left.result.words)
    low, high = (float(both.min()), float(both.max())) if len(both) else (0.0, 0.0)
    if signed:
        high = max(abs(low), abs(high))
        low = -high
    return Scale(
        tuple(steps[:cut]), tuple(steps[cut:]), low, high, say("{what} per word, both texts on one scale", what=what)
    )


def verdict_sign(pair: Comparison, side: ComparedSide) -> tuple[str, str, str]:
    """A sign, a class and a word for whether a side's prediction is right."""
    verdict = pair.right_or_wrong(side)
    if verdict is None:
        return "·", "unknown", ""
    return ("✓", "right", say("right")) if verdict else ("✗", "wrong", say("wrong"))


def marks(pair: WordPair) -> str:
    """The change of score and rank, in short."""
    gained = places(pair)
    return f"{'+' if pair.change > 0 else ''}{_short(pair.change)}" + (f" {gained}" if gained not in ("", "0") else "")


def places(pair: WordPair) -> str:
    """Ranks gained or lost.

    >>> [places(WordPair(0, 0, "same", 0.1, change)) for change in (3, -2, 0, None)]
    ['▲3', '▼2', '0', '']
    """
    if pair.rank_change is None:
        return ""
    return "0" if pair.rank_change == 0 else f"{'▲' if pair.rank_change > 0 else '▼'}{abs(pair.rank_change)}"


def points(share: float | None) -> str:
    """A difference of probabilities in percentage points."""
    return "—" if share is None else say("{points} points", points=f"{100 * share:+.1f}")


def moved_text(pair: Comparison) -> str:
    """How much attention moved to the edited words, in percentage points of all scores."""
    return points(pair.moved)


def restored_text(pair: Comparison) -> str:
    """The sentence about the column of undone edits."""
    if not any(edit.restores is not None for edit in pair.edits):
        return say("In the order of the text.")
    label = (pair.left.prediction or "").strip()
    sentence = say("Each edit undone alone: how far the probability of “{label}” comes back.", label=label)
    if pair.flipped and not pair.culprits:
        sentence += say(" None brings it back alone: they work together.")
    return sentence


def _short(value: float) -> str:
    return number(float(f"{value:.2g}"))
