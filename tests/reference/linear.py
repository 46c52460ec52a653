"""Linear attention as its papers write it: a state that each token changes, step by step, with every state formed.

The matrix follows from the state alone: with the unit vectors as values, what the last query reads is its row.
"""

import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus
from transformers import PreTrainedModel

FUNCTIONS = ("torch_chunk_gated_delta_rule", "chunk_kimi_delta_attention", "mamba2_chunk_scan")


def matrix(query: Tensor, key: Tensor, decay: Tensor, strength: Tensor, *, delta: bool) -> Tensor:
    """(token, hidden) twice, (token, hidden or 1), (token,) -> (token, token), of one head, in float64.

    Gated DeltaNet (arXiv:2412.06464), eq. 10, and with delta=False gated linear attention and Mamba 2.
    """
    query, key, decay, strength = (x.double() for x in (query, key, decay, strength))
    count, hidden = key.shape
    state, rows = torch.zeros(hidden, count, dtype=torch.float64), []
    for t in range(count):
        written = torch.eye(count, dtype=torch.float64)[t]
        state = decay[t].reshape(-1, 1) * state
        if delta:
            written = written - key[t] @ state
        state = state + strength[t] * torch.outer(key[t], written)
        rows.append(query[t] @ state)
    return torch.stack(rows)


def linear_matrices(net: PreTrainedModel, inputs: dict[str, Tensor]) -> list[Tensor]:
    """Of each layer of linear attention, from the bottom up, its matrix by hand: (batch, head, query, key), float64."""
    net = deepcopy(net).eval()
    if net.config.model_type == "minimax":
        return _lightning(net, inputs)
    with _recorded(net) as calls, torch.no_grad():
        net(**inputs, use_cache=False)
    return [_of_call(given) for given in calls]


@contextmanager
def _recorded(net: PreTrainedModel) -> Iterator[list[dict[str, Any]]]:
    """The arguments with which the model calls the function of its file that computes linear attention."""
    file = sys.modules[type(net).__module__]
    (name,) = [name for name in FUNCTIONS if hasattr(file, name)]
    original, calls = getattr(file, name), []

    def record(*args: Any, **kwargs: Any) -> Any:
        calls.append(inspect.signature(original).bind(*args, **kwargs).arguments)
        return original(*args, **kwargs)

    setattr(file, name, record)
    try:
        yield calls
    finally:
        setattr(file, name, original)


def _of_call(given: Mapping[str, Any]) -> Tensor:
    delta = "beta" in given
    if delta:
        query, key, decay, strength = given["query"], given["key"], given["g"].double().exp(), given["beta"]
        if given["use_qk_l2norm_in_kernel"]:
            query, key = (x.double() / (x.double().square().sum(-1, keepdim=True) + 1e-6).sqrt() for x in (query, key))
        query = query.double() / query.shape[-1] ** 0.5
        heads = given["value"].shape[2]
    else:
        query, key, heads = given["C"], given["B"], given["hidden_states"].shape[2]
        strength = softplus(given["dt"] + given["dt_bias"].detach().to(given["dt"].dtype)).clamp(*given["dt_limit"])
        decay = (given["A"].detach().double() * strength.double()).exp()
    batch = []
    for i in range(len(query)):
        by_head = []
        for head in range(heads):
            shared = head * key.shape[2] // heads
            q, k = query[i, :, shared], key[i, :, shared]
            by_head.append(matrix(q, k, decay[i, :, head], strength[i, :, head], delta=delta))
        batch.append(torch.stack(by_head))
    return torch.stack(batch)


def _lightning(net: PreTrainedModel, inputs: dict[str, Tensor]) -> list[Tensor]:
    """MiniMax's: each head decays by a constant, and silu is on query, key and value."""
    matrices: list[Tensor] = []
    for layer, block in enumerate(net.model.layers):
        mixer = block.self_attn
        if not hasattr(mixer, "slope_rate"):
            continue

        def see(mixer: Any, _args: object, kwargs: dict[str, Tensor], layer: int = layer) -> None:
            hidden = kwargs["hidden_states"]
            heads, width = net.config.num_attention_heads, net.config.head_dim
            mixed = torch.nn.functional.silu(hidden @ mixer.qkv_proj.weight.T).view(*hidden.shape[:2], heads, 3 * width)
            share = 1 - layer / (net.config.num_hidden_layers - 1 + 1e-5) + 1e-5
            of_heads = []
            for head in range(heads):
                slope = 2 ** (-8 * (head + 1) / heads) * share
                count = hidden.shape[1]
                decay = torch.full((count, 1), -slope, dtype=torch.float64).exp()
                query, key = mixed[0, :, head, :width], mixed[0, :, head, width : 2 * width]
                of_heads.append(matrix(query, key, decay, torch.ones(count), delta=False))
            matrices.append(torch.stack(of_heads)[None])

        mixer.register_forward_pre_hook(see, with_kwargs=True)
    with torch.no_grad():
        net(**inputs, use_cache=False)
    return matrices
