"""Slow textbook importance: one plain forward or backward pass at a time, from ids and embeddings alone."""

from itertools import permutations

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel


def log_probability(
    net: PreTrainedModel, prompt: list[int], target: list[int], vectors: Tensor | None = None
) -> Tensor:
    """Log-probability of `target` after `prompt`; `vectors` (token, hidden) stand in for the prompt's embeddings."""
    layer = net.get_input_embeddings()
    embedded = layer(torch.tensor(prompt + target)) if prompt + target else torch.zeros(0)
    if vectors is not None:
        embedded = torch.cat([vectors, embedded[len(prompt) :]])
    logits = net(inputs_embeds=embedded[None]).logits[0].log_softmax(-1)
    first = len(prompt) - 1
    return torch.stack([logits[first + i, identity] for i, identity in enumerate(target)]).sum()


def gradient(net: PreTrainedModel, prompt: list[int], target: list[int], vectors: Tensor | None = None) -> Tensor:
    """Its gradient at the prompt's embeddings, or at `vectors`: (token, hidden)."""
    if vectors is None:
        vectors = net.get_input_embeddings()(torch.tensor(prompt))
    leaf = vectors.detach().clone().requires_grad_()
    (found,) = torch.autograd.grad(log_probability(net, prompt, target, leaf), leaf)
    return found


def integrated(net: PreTrainedModel, prompt: list[int], target: list[int], steps: int) -> np.ndarray:
    """Midpoint Riemann sum from zero embeddings: (token,)."""
    here = net.get_input_embeddings()(torch.tensor(prompt)).detach()
    total = torch.zeros_like(here)
    for step in range(steps):
        total += gradient(net, prompt, target, here * (step + 0.5) / steps) / steps
    return (total * here).sum(-1).numpy()


def covered(net: PreTrainedModel, prompt: list[int], target: list[int], places: list[int], vector: Tensor) -> float:
    """The target's value with `vector` at these places."""
    vectors = net.get_input_embeddings()(torch.tensor(prompt)).detach().clone()
    vectors[places] = vector
    with torch.no_grad():
        return log_probability(net, prompt, target, vectors).item()


def shapley(net: PreTrainedModel, prompt: list[int], target: list[int], vector: Tensor) -> np.ndarray:
    """Exact Shapley values of the prompt's tokens, over every order: (token,)."""
    count = len(prompt)
    known = {}
    for mask in range(2**count):
        missing = [i for i in range(count) if not mask >> i & 1]
        known[mask] = covered(net, prompt, target, missing, vector)
    total = np.zeros(count)
    orders = list(permutations(range(count)))
    for order in orders:
        mask = 0
        for player in order:
            total[player] += known[mask | 1 << player] - known[mask]
            mask |= 1 << player
    return total / len(orders)
