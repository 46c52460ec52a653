"""Random scores: the yardstick that every method has to beat."""

import hashlib

import numpy as np

from attnscope.methods.task import Scores, Task


def random(task: Task, *, seed: int = 0) -> Scores:
    """Scores drawn uniformly from 0 to 1 for each unit, independently of model and target.

    The same seed and text give the same scores in any batch. They have no unit and no sign. A method that does no
    better in a faithfulness test, or that agrees with this one, explains nothing. Raises what `gradient` raises.
    """
    text = task.encoded.text.encode("utf-8", "surrogatepass")
    generator = np.random.default_rng([seed, int.from_bytes(hashlib.sha256(text).digest()[:8], "big")])
    targets = max(1, len(task.target.about))
    return Scores(units=generator.random((targets, len(task.units))), values=task.values())
