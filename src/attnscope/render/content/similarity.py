"""What every picture of two similar texts says: what the scores add up to, colours, the lines between words."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attnscope.render.content.caption import caption_of, number
from attnscope.results.scaling import symmetric
from attnscope.results.similarity import Similarity
from attnscope.text.visible import visible
from attnscope.translation import say

# A line is drawn for pairs with at least this share of the largest score; of long texts, for so many a word.
_FAINTEST, _MOST_A_WORD = 0.15, 3


@dataclass(frozen=True)
class Line:
    """A line between two words: their indices, the score, and its share of the largest score, −1 to 1."""

    left: int
    right: int
    score: float
    share: float


def title_of(result: Similarity) -> str:
    """The picture's title."""
    return say("Why two texts are similar: {name} {value}", name=_name(result), value=number(result.value))


def _name(result: Similarity) -> str:
    return say(visible(result.name))


def facts_of(result: Similarity) -> list[tuple[str, str]]:
    """How it was made."""
    asked = result.left.asked
    own = {say("words"): f"{len(result.left.words):,} × {len(result.right.words):,}"}
    own |= {say(visible(str(name))): visible(str(value)) for name, value in asked.options.items()}
    own |= {} if asked.unit == "word" else {say("unit"): say(visible(asked.unit))}
    own |= {say("truncate"): say("yes")} if asked.truncate else {}
    model = [(say(name), value) for name, value in caption_of(result.left).facts if name == "model"]
    return [*model, (_name(result), number(result.value)), *own.items()]


def sums_of(result: Similarity) -> tuple[str, ...]:
    """What the scores add up to, in words and numbers."""
    sums = (part.sum() for part in (result.scores, result.left_alone, result.right_alone))
    pairs, left, right, value = (number(float(part)) for part in (*sums, result.value))
    there, here = map(number, result.to_baseline)
    return (
        say(
            "The pairs add up to {pairs}: the {name} of the texts ({value}) less that of each to the other’s baseline "
            "({there} and {here}), plus that of both baselines ({base}); they miss it by {error}.",
            pairs=pairs,
            name=_name(result),
            value=value,
            there=there,
            here=here,
            base=number(result.base),
            error=number(result.error),
        ),
        say(
            "The rest of {value} is {base} from the baselines, {left} from the words of the left text alone and "
            "{right} from those of the right one alone.",
            value=value,
            base=number(result.base),
            left=left,
            right=right,
        ),
    )


def scaled(result: Similarity) -> NDArray[np.float64]:
    """(left word, right word), 0 to 1, with 0 in the middle."""
    flat = symmetric(result.scores.ravel()) if result.scores.size else result.scores.ravel()
    return np.asarray(flat).reshape(result.scores.shape)


def largest(result: Similarity) -> float:
    """The largest magnitude of a score."""
    return float(np.abs(result.scores).max(initial=0.0))


def lines_of(result: Similarity) -> list[Line]:
    """The lines between words, the faintest first so that the strongest is on top."""
    top = largest(result)
    most = _MOST_A_WORD * sum(result.scores.shape)
    chosen = [pair for pair in result.strongest(most) if abs(pair[2]) >= _FAINTEST * top > 0]
    return [Line(i, j, score, score / top) for i, j, score in chosen[::-1]]
