"""A mask laid on the keys of eager attention, written out: the weights with it, and its gradient by autograd."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from reference.eager import EagerAttention


def with_mask(mask: Tensor, lengths: Sequence[int], value: Callable[[], Tensor]) -> tuple[Tensor, int]:
    """`value()` of an eager model with `mask` (token,) on every key but a token's own, in every softmax over the text.

    lengths: of the text, and of what a decoder reads. Each weight is its mask times e to its score, over their sum.
    Also, how many products of weights and values there were.
    """
    tokens = len(mask)

    def masked(scores: Tensor) -> Tensor:
        queries, keys = scores.shape[-2:]
        if keys not in (tokens, tokens + 1):
            return scores.softmax(-1)
        factors = mask.to(scores.dtype).expand(queries, tokens)
        if queries == tokens:
            factors = torch.where(torch.eye(tokens, dtype=torch.bool), torch.ones((), dtype=scores.dtype), factors)
        if keys > tokens:  # a learned sink
            factors = torch.cat([factors, factors.new_ones(queries, 1)], 1)
        parts = factors * (scores - scores.amax(-1, keepdim=True).detach()).exp()
        return parts / parts.sum(-1, keepdim=True)

    with EagerAttention(lengths, 1, lambda _call, values: values, masked) as seen:
        found = value()
    return found, seen.calls


def mask_gradient(
    tokens: int, lengths: Sequence[int], value: Callable[[], Tensor], share: Tensor | None = None
) -> tuple[Tensor, int]:
    """The gradient at the mask, (token,), where it is `share` (token,), by default 1; and how many products."""
    mask = (torch.ones(tokens) if share is None else share.clone()).requires_grad_()
    found, calls = with_mask(mask, lengths, value)
    return torch.autograd.grad(found, mask)[0], calls
