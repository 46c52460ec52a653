"""What the gradient methods share."""

import torch
from torch import Tensor


def norms(vectors: Tensor, order: int) -> Tensor:
    """(…, hidden) -> (…)."""
    lengths: Tensor = torch.linalg.vector_norm(vectors, ord=order, dim=-1)
    return lengths
