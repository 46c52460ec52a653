"""Gradients averaged over samples: SmoothGrad over noisy copies of the text, gradient SHAP over baselines."""

from collections.abc import Sequence
from typing import Literal, Unpack

import numpy as np
import torch
from torch import Tensor

from attnscope.errors import InputError
from attnscope.methods.asking import Asking, Result, answers, questions
from attnscope.methods.by_gradient import norms
from attnscope.models.embeddings import baseline_vector
from attnscope.models.load import Model
from attnscope.models.paths import path_of
from attnscope.models.readings import values

Baseline = Literal["zero", "mean", "mask", "pad"]


def smooth_grad(
    model: Model,
    text: str | Sequence[str],
    *,
    samples: int = 16,
    noise: float = 0.1,
    norm: Literal["l2", "l1"] = "l2",
    seed: int = 0,
    **asking: Unpack[Asking],
) -> Result | list[Result]:
    """The norm of the mean gradient over noisy copies of the text (Smilkov et al. 2017, arXiv:1706.03825).

    score(token i) = ‖mean over samples of ∂F/∂e_i (e + ε)‖, ε normal with standard deviation `noise` times the range
    (largest − smallest number) of the text's embeddings. Never negative, in F's unit per unit of embedding. Special
    tokens, a chat template and a continuation that is not scored get no noise. A unit is the sum of its tokens.

    With noise=0 it is `gradient`. It misleads as `gradient` does; much noise explains another text. Raises what
    `gradient` raises.
    """
    _check(samples, 1, noise)
    if norm not in ("l2", "l1"):
        raise InputError(f"norm={norm!r}: choose 'l2' or 'l1'")
    results = []
    for question in questions(model, text, asking, "smooth_grad", lambda _units: samples):
        net, objective = question.model.model, question.objective
        found = sum((v for v in values(net, objective.readings)), torch.zeros(1, dtype=torch.float64))
        total: Tensor | float = 0.0
        for number in range(len(objective.readings)):
            path = path_of(net, objective, number, torch.zeros(1, dtype=torch.float64))
            width = noise * float(path.here.max() - path.here.min())
            clouds = _noise(seed, samples, objective.scored, path.here, path.moves, width)
            for _, vectors in path.gradients_at(samples, lambda i, p=path, c=clouds: p.here + c[i]):  # type: ignore[misc]
                total = total + vectors / samples
        tokens = norms(torch.as_tensor(total), 2 if norm == "l2" else 1).numpy()
        results.append(
            question.answer(
                "smooth_grad",
                tokens=tokens,
                units=question.pooled(tokens),
                values=found.tolist(),
                parameters={"samples": samples, "noise": noise, "norm": norm, "seed": seed},
                signed=False,
            )
        )
    return answers(text, results)


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
    these miss it, the largest over the targets. `standard_error` is that of each unit's mean.

    It misleads as `integrated_gradients` does, of which it is a sampled version. Raises what `gradient` raises.
    """
    _check(samples, 2, noise)
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
            width = noise * float(path.here.max() - path.here.min())
            clouds = _noise(seed, samples, objective.scored, path.here, path.moves, width)

            def step(i: int, paths=paths, clouds=clouds, which=which) -> Tensor:  # type: ignore[no-untyped-def]
                one = paths[which[i]]
                found: Tensor = (one.here + clouds[i] - one.base) * one.moves[:, None]
                return found

            def point(i: int, step=step, path=path, clouds=clouds, alphas=alphas) -> Tensor:  # type: ignore[no-untyped-def]
                found: Tensor = path.here + clouds[i] - (1 - alphas[i]) * step(i)
                return found

            own: dict[int, Tensor] = {}
            for i, vectors in path.gradients_at(samples, point):
                own[i] = (vectors * objective.on_tokens(step(i)[None])).sum(-1)
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
                parameters={
                    "baselines": chosen,
                    "samples": samples,
                    "noise": noise,
                    "seed": seed,
                    "completeness_error": float(np.abs(tokens.sum(1) - (there - nothing)).max()),
                    "standard_error": (units.std(0, ddof=1) / np.sqrt(samples))[0].tolist(),
                },
                signed=True,
            )
        )
    return answers(text, results)


def _check(samples: int, least: int, noise: float) -> None:
    if type(samples) is not int or samples < least or not noise >= 0:
        raise InputError(f"samples={samples!r}, noise={noise!r}: give at least {least} samples and noise of 0 or more")


def _noise(seed: int, samples: int, scored: int, like: Tensor, moves: Tensor, width: float) -> Tensor:
    """(sample, token, hidden): the same for every reading of a text, so that a contrast compares like with like."""
    generator = torch.Generator().manual_seed(seed)
    cloud = torch.randn(samples, scored, like.shape[1], generator=generator, dtype=like.dtype) * width
    fitted = torch.zeros(samples, *like.shape, dtype=like.dtype)
    count = min(scored, len(like))
    fitted[:, :count] = cloud[:, :count]
    return fitted * moves[:, None]
