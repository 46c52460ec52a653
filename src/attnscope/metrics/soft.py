"""What soft comprehensiveness and soft sufficiency share: parts of embeddings go in proportion to the scores."""

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from attnscope.metrics.question import Case, Question, Softened

SAMPLES = 4


def softly(case: Case, *, keep_strong: bool) -> Generator[Question, NDArray[np.float64], tuple[float, float, float]]:
    """p(y) on the text, on the text of softened words (mean over samples), and on the text of words of zeros.

    A number of a word's embedding stays with a probability: the word's score, min–max scaled over the text; or one
    minus it. A text whose words all score the same keeps half of each.
    """
    spread = np.ptp(case.scores)
    share = (case.scores - case.scores.min()) / spread if spread > 0 else np.full(len(case.scores), 0.5)
    keep = share if keep_strong else 1 - share
    whole = np.exp((yield Softened((1.0,) * len(share), 1, 0)))
    nothing = np.exp((yield Softened((0.0,) * len(share), 1, 0)))
    softened = np.exp((yield Softened(tuple(keep.tolist()), SAMPLES, 0)))
    return float(whole[0]), float(softened.mean()), float(nothing[0])
