"""Gradient SHAP: the path from a baseline to the text, sampled over baselines."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from attnscope.errors import InputError
from attnscope.methods.task import Scores, Task
from attnscope.models.gradients.noise import checked_samples, noise_samples
from attnscope.results.base import Measured

Baseline = Literal["zero", "mean", "mask", "pad"]


def gradient_shap(
    task: Task,
    *,
    baselines: Baseline | Sequence[Baseline] = ("zero", "mean"),
    samples: int = 32,
    noise: float = 0.0,
    seed: int = 0,
) -> Scores:
    """Expected gradients (Lundberg and Lee 2017, arXiv:1705.07874; Erion et al., arXiv:1906.10670).

    score(token i) = mean over samples of (e_i + ε − b) · ∂F/∂e_i (b + α (e + ε − b)), with a baseline b drawn from
    `baselines`, α uniform from 0 to 1 and ε normal (`noise` as in `smooth_grad`). Signed, in F's own unit; in
    expectation and without noise the scores add up to F(text) − mean F(baseline): `completeness_error` says by how much
    they miss it, `standard_error` is the standard error of each unit's score; both are the largest over the targets.
    With `segments` or `within` only the scored units go to the baseline; the rest of the text stays.

    It is a sampled version of `integrated_gradients` and misleads where that does. Raises what `gradient` raises.
    """
    checked_samples(samples, 2, noise)
    chosen = [baselines] if isinstance(baselines, str) else list(baselines)
    if not chosen:
        raise InputError("baselines is empty: give one or more of 'zero', 'mean', 'mask', 'pad'")
    bases = [task.baseline(name) for name in chosen]
    generator = np.random.default_rng(seed)
    # Each baseline equally often, and one draw from each equal part of the unit interval: it lowers the variance.
    which = [i % len(bases) for i in range(samples)]
    parts = -(-samples // len(bases))
    alphas = [(i // len(bases) + u) / parts for i, u in enumerate(generator.random(samples))]
    each: Tensor | float = 0.0  # (sample, target, token)
    ends: Tensor | float = 0.0
    # For each pass that the target takes, one path from each baseline.
    for paths in zip(*(task.paths(base) for base in bases), strict=True):
        path = paths[0]
        noisy = path.embeddings + noise_samples(path, samples, noise, seed)  # (sample, token, hidden)
        starts = torch.stack(bases)[which][:, None]
        steps = (noisy - starts) * path.moving[:, None]
        points = noisy - (1 - torch.tensor(alphas, dtype=noisy.dtype))[:, None, None] * steps
        products: dict[int, Tensor] = {}
        for i, vectors in path.gradients_at(samples, points.__getitem__):
            products[i] = (vectors * task.target.on_tokens(steps[i][None])).sum(-1)
        each = each + torch.stack([products[i] for i in range(samples)])
        ends = ends + torch.stack([p.values([1.0, 0.0]) for p in paths]).mean(0)
    scores = torch.as_tensor(each).numpy()
    whole, nothing = torch.as_tensor(ends).numpy()
    tokens = scores.mean(0)
    units = task.units.pooled(scores)
    measured = Measured(
        completeness_error=float(np.abs(tokens.sum(1) - (whole - nothing)).max()),
        standard_error=tuple((units.std(0, ddof=1) / np.sqrt(samples)).max(0).tolist()),
    )
    return Scores(tokens=tokens, units=units.mean(0), values=whole, options={"baselines": chosen}, measured=measured)
