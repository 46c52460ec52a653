"""Gradient SHAP: the path from a baseline to the text, sampled over baselines."""

from collections.abc import Sequence
from typing import Literal, Unpack

import numpy as np
import torch
from torch import Tensor

from attnscope.errors import InputError
from attnscope.methods.request import Asking, Result, answers, questions
from attnscope.models.embeddings import baseline_vector
from attnscope.models.gradients.noise import checked_samples, clouds
from attnscope.models.gradients.path import path_of
from attnscope.models.loading.load import Model

Baseline = Literal["zero", "mean", "mask", "pad"]


def gradient_shap(
    model: Model,
    text: str | Sequence[str],
    *,
    baselines: Baseline | Sequence[Baseline] = ("zero", "mean"),
    samples: int = 32,
    noise: float = 0.0,
    seed: int = 0,
    **asking: Unpack[Asking],
) -> Result | list[Result]:
    """Expected gradients (Lundberg and Lee 2017, arXiv:1705.07874; Erion et al., arXiv:1906.10670).

    score(token i) = mean over samples of (e_i + ε − b) · ∂F/∂e_i (b + α (e + ε − b)), with a baseline b drawn from
    `baselines`, α uniform on 0 to 1 and ε normal (`noise` as in `smooth_grad`). Signed, in F's own unit; in
    expectation and without noise the scores add up to F(text) − mean F(baseline): `completeness_error` says by how much
    these miss it, `standard_error` is that of each unit's mean; both the largest over the targets.

    It misleads as `integrated_gradients` does, of which it is a sampled version. Raises what `gradient` raises.
    """
    checked_samples(samples, 2, noise)
    chosen = [baselines] if isinstance(baselines, str) else list(baselines)
    if not chosen:
        raise InputError("baselines is empty: give one or more of 'zero', 'mean', 'mask', 'pad'")
    results = []
    for question in questions(model, text, asking, "gradient_shap", lambda _units: samples):
        net, objective = question.model.model, question.objective
        bases = [baseline_vector(question.model, name) for name in chosen]
        generator = np.random.default_rng(seed)
        # Each baseline equally often, and the unit interval in equal parts: less variance than free draws.
        which = [i % len(bases) for i in range(samples)]
        parts = -(-samples // len(bases))
        alphas = [(i // len(bases) + u) / parts for i, u in enumerate(generator.random(samples))]
        each: Tensor | float = 0.0  # (sample, target, token)
        ends: Tensor | float = 0.0
        for number in range(len(objective.readings)):
            paths = [path_of(net, objective, number, base) for base in bases]
            path = paths[0]
            noisy = path.here + clouds(path, samples, noise, seed)  # (sample, token, hidden)
            starts = torch.stack(bases)[which][:, None]
            steps = (noisy - starts) * path.moves[:, None]
            points = noisy - (1 - torch.tensor(alphas, dtype=noisy.dtype))[:, None, None] * steps
            own: dict[int, Tensor] = {}
            for i, vectors in path.gradients_at(samples, points.__getitem__):
                own[i] = (vectors * objective.on_tokens(steps[i][None])).sum(-1)
            each = each + torch.stack([own[i] for i in range(samples)])
            at_ends = [p.values([1.0, 0.0]) for p in paths]
            ends = ends + torch.stack(at_ends).mean(0)
        scores = torch.as_tensor(each).numpy()
        there, nothing = torch.as_tensor(ends).numpy()
        tokens = scores.mean(0)
        units = question.pooled(scores)
        results.append(
            question.answer(
                "gradient_shap",
                tokens=tokens,
                units=units.mean(0),
                values=there.tolist(),
                family="gradient",
                options={
                    "baselines": chosen,
                    "samples": samples,
                    "noise": noise,
                    "seed": seed,
                    "completeness_error": float(np.abs(tokens.sum(1) - (there - nothing)).max()),
                    "standard_error": (units.std(0, ddof=1) / np.sqrt(samples)).max(0).tolist(),
                },
                signed=True,
            )
        )
    return answers(text, results)
