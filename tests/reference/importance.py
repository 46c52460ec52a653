"""Slow textbook importance: one plain forward or backward pass at a time, from ids and embeddings alone."""

from functools import partial
from itertools import permutations

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from reference.eager import eager_copy


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


def integrated(net: PreTrainedModel, prompt: list[int], target: list[int], steps: int, base: Tensor) -> np.ndarray:
    """Midpoint Riemann sum from `base` in every token's place: (token,)."""
    here = net.get_input_embeddings()(torch.tensor(prompt)).detach()
    total = torch.zeros_like(here)
    for step in range(steps):
        total += gradient(net, prompt, target, base + (here - base) * (step + 0.5) / steps) / steps
    return (total * (here - base)).sum(-1).numpy()


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


def gim(net: PreTrainedModel, ids: list[int], vector: Tensor) -> np.ndarray:
    """Gradient interaction modifications of the loss with labels = `ids`: (token,).

    Eager attention on a copy; softmax, norms, queries, keys and values written out once more, from the paper.
    """
    net = eager_copy(net)
    for module in net.modules():
        if type(module).__name__.endswith("Norm"):
            module.forward = partial(_constant_statistics, module)
    _shared_queries_keys_values(net)
    reads = net.get_encoder() if net.config.is_encoder_decoder else net
    leaf = reads.get_input_embeddings()(torch.tensor(ids)).detach().requires_grad_()
    plain = torch.nn.functional.softmax
    torch.nn.functional.softmax = lambda x, dim, dtype=None: _Warm.apply(x.to(dtype or x.dtype))  # noqa: ARG005
    try:
        loss = net(inputs_embeds=leaf[None], labels=torch.tensor([ids]), output_attentions=True).loss
    finally:
        torch.nn.functional.softmax = plain
    (found,) = torch.autograd.grad(loss, leaf)
    return ((leaf.detach() - vector) * found).sum(-1).numpy()


class _Warm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x)
        return torch.softmax(x, -1)

    @staticmethod
    def backward(ctx, outer):  # type: ignore[no-untyped-def]
        warm = torch.softmax(ctx.saved_tensors[0] / 2, -1)
        return torch.einsum("...k,...kl->...l", outer, torch.diag_embed(warm) - warm[..., :, None] * warm[..., None, :])


def _constant_statistics(module: torch.nn.Module, x: Tensor) -> Tensor:
    if isinstance(module, torch.nn.LayerNorm):
        spread = (x.var(-1, unbiased=False, keepdim=True) + module.eps).sqrt().detach()
        return (x - x.mean(-1, keepdim=True)) / spread * module.weight + (0 if module.bias is None else module.bias)
    root = (x.square().mean(-1, keepdim=True) + getattr(module, "variance_epsilon", getattr(module, "eps", 0))).sqrt()
    gain = 1 + module.weight if type(module).__name__.startswith("Gemma") else module.weight
    return x / root.detach() * gain


def _shared_queries_keys_values(net: PreTrainedModel) -> None:
    """The projections give their values, and pass back a quarter, a quarter and a half of the gradient."""

    def hook(shares: tuple[float, ...], each: int, _module: object, _args: object, output: Tensor) -> Tensor:
        # (…, heads × (query, key, value)) or one after the other: `each` numbers of a part in a row.
        share = torch.tensor(shares).repeat_interleave(each).repeat(output.shape[-1] // (len(shares) * each))
        return output * share + (output * (1 - share)).detach()

    width, heads = net.config.hidden_size, net.config.num_attention_heads
    for name, module in net.named_modules():
        kind = name.rsplit(".", 1)[-1]
        names = [("q_proj", "k_proj", "v_proj"), ("query", "key", "value"), ("query_proj", "key_proj", "value_proj")]
        names += [("q_lin", "k_lin", "v_lin"), ("q", "k", "v")]
        shares = {one: (share,) for each in names for one, share in zip(each, (0.25, 0.25, 0.5), strict=True)}
        if kind in ("c_attn", "Wqkv"):
            module.register_forward_hook(partial(hook, (0.25, 0.25, 0.5), width))
        elif kind == "qkv_proj":  # queries of all heads, then fewer keys and values
            few = (module.out_features - width) // 2
            share = torch.tensor([0.25] * (width + few) + [0.5] * few)
            module.register_forward_hook(lambda _m, _a, o, s=share: o * s + (o * (1 - s)).detach())
        elif kind == "query_key_value" and getattr(net.config, "new_decoder_architecture", False):
            group = (0.25,) * (heads // net.config.num_kv_heads) + (0.25, 0.5)
            module.register_forward_hook(partial(hook, group, width // heads))
        elif kind == "query_key_value":
            module.register_forward_hook(partial(hook, (0.25, 0.25, 0.5), width // heads))
        elif kind in shares:
            module.register_forward_hook(partial(hook, shares[kind], 1))
