"""SmoothGrad: the gradient averaged over noisy copies of the text."""

from typing import Literal

import torch
from torch import Tensor

from attnscope.errors import InputError
from attnscope.methods.gradient.common import norms
from attnscope.methods.task import Scores, Task
from attnscope.models.gradients.noise import checked_samples, noise_samples


def smooth_grad(
    task: Task,
    *,
    samples: int = 16,
    noise: float = 0.1,
    norm: Literal["l2", "l1"] = "l2",
    seed: int = 0,
) -> Scores:
    """The norm of the mean gradient over noisy copies of the text (Smilkov et al. 2017, arXiv:1706.03825).

    score(token i) = ‖mean over samples of ∂F/∂e_i (e + ε)‖, ε normal with standard deviation `noise` times the range
    (largest − smallest number) of the text's embeddings. Never negative, in F's unit per unit of embedding. Special
    tokens, a chat template and a continuation that is not scored get no noise, and with `segments` or `within` nothing
    outside the scored units does. A unit is the sum of its tokens.

    With noise=0 it is `gradient`. It misleads where `gradient` does, and with much noise it explains another text.
    Raises what `gradient` raises.
    """
    checked_samples(samples, 1, noise)
    if norm not in ("l2", "l1"):
        raise InputError(f"norm={norm!r}: choose 'l2' or 'l1'")
    total: Tensor | float = 0.0
    for path in task.paths(torch.zeros(1, dtype=torch.float64)):
        points = path.embeddings + noise_samples(path, samples, noise, seed)
        for _, vectors in path.gradients_at(samples, points.__getitem__):
            total = total + vectors / samples
    return Scores(tokens=norms(torch.as_tensor(total), 2 if norm == "l2" else 1), values=task.values())
