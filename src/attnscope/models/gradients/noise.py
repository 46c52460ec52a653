"""Seeded noise around a text's embeddings, for methods that average over samples."""

import torch
from torch import Tensor

from attnscope.errors import InputError
from attnscope.models.gradients.path import Path


def checked_samples(samples: int, least: int, noise: float) -> None:
    """Raises InputError for too few samples or negative noise."""
    if type(samples) is not int or samples < least or not noise >= 0:
        raise InputError(f"samples={samples!r}, noise={noise!r}: give at least {least} samples and noise of 0 or more")


def noise_samples(path: Path, samples: int, noise: float, seed: int) -> Tensor:
    """Normal noise on the tokens that move, (sample, token, hidden), float64.

    noise: its standard deviation, as a share of the range (largest − smallest number) of the text's embeddings. The
    same seed gives the same noise for every readout of a text, so that a contrast compares like with like.
    """
    embeddings = path.embeddings
    width = noise * float(embeddings.max() - embeddings.min())
    generator = torch.Generator().manual_seed(seed)
    scored = path.objective.scored
    drawn = torch.randn(samples, scored, embeddings.shape[1], generator=generator, dtype=embeddings.dtype) * width
    padded = torch.zeros(samples, *embeddings.shape, dtype=embeddings.dtype)
    count = min(scored, len(embeddings))
    padded[:, :count] = drawn[:, :count]
    return padded * path.moving[:, None]
