"""Attention by gradient (PromptRobust): how strongly the target reacts to each word."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnscope.errors import InputError
from attnscope.methods.gradient.common import norms
from attnscope.methods.task import Scores, Task

PRESETS = (None, "promptrobust", "vocabulary")
POOLS: dict[str, Callable[..., NDArray[np.float64]]] = {"sum": np.sum, "mean": np.mean, "max": np.max}


def gradient(
    task: Task,
    *,
    norm: Literal["l2", "l1"] = "l2",
    pool: Literal["sum", "mean", "max"] = "sum",
    preset: Literal["promptrobust", "vocabulary"] | None = None,
) -> Scores:
    """The norm of the target's gradient at each token's embedding; subwords pooled into words (arXiv:2306.04528).

    score(token i) = ‖∂F/∂e_i‖, where F is the target (by default the model's loss with `labels = input_ids`; a
    classifier: the log-probability of the label it predicts) and e_i the output of the embedding layer at position i.
    Never negative; in nats (of a logit or probability: its own unit) per unit of embedding.

    norm:   "l2" or "l1", over the embedding's dimensions.
    pool:   how a unit's score is made from its tokens' scores.
    preset: "promptrobust": a word's score is the norm of the *sum* of its tokens' gradients, as in its authors' code.
            "vocabulary": a token's score is the norm of its row in the gradient of the embedding matrix: the sum over
            all positions of the same token, so that equal tokens share one score. (Where the embedding matrix is also
            the output head, the head's share of that gradient is left out.)

    Special tokens stay in the input but not in the picture. It misleads where the loss has saturated: a confident
    prediction has a small gradient, however much it relies on the word. A norm has no sign: a word may speak for the
    target or against it.

    Raises TextError, TextTooLongError, ModelError (no head to take a loss from), InputError, NonFiniteError.
    """
    if preset not in PRESETS:
        raise InputError(f"there is no preset {preset!r}; choose from 'promptrobust', 'vocabulary', or none")
    if norm not in ("l2", "l1") or pool not in POOLS:
        raise InputError(f"norm={norm!r}, pool={pool!r}: norm is 'l2' or 'l1', pool is 'sum', 'mean' or 'max'")
    order = 2 if norm == "l2" else 1
    values, vectors = task.gradient()
    if preset == "vocabulary":
        vectors = _shared_by_id(vectors, torch.tensor(task.encoded.inputs["input_ids"]))
    tokens = norms(vectors, order).numpy()
    groups = [list(span.tokens) for span in task.units.spans]
    if preset == "promptrobust":
        units = [norms(vectors[:, group].sum(1), order).numpy() for group in groups]
    else:
        units = [POOLS[pool](tokens[:, group], axis=1) for group in groups]
    return Scores(tokens=tokens, units=np.stack(units, 1), values=values)


def _shared_by_id(vectors: Tensor, ids: Tensor) -> Tensor:
    """(target, token, hidden) -> the same: each position gets the sum over the positions of the same id."""
    _, row = torch.unique(ids, return_inverse=True)
    summed = vectors.new_zeros(len(vectors), int(row.max()) + 1, vectors.shape[2]).index_add_(1, row, vectors)
    return summed[:, row]
