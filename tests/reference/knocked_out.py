"""Models without a head, an edge or a layer, edited by hand: weights set to zero, scores to -inf, modules left out.

They know each family's names, change a copy, and run its own eager attention.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from reference.eager import EagerAttention, eager_copy

# Of each family and stack, where its layers are, and the output projection in one of them.
NAMES: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "gpt_oss"),
        ("model.layers", "self_attn.o_proj"),
    ),
    "gpt2": ("transformer.h", "attn.c_proj"),
    "gptj": ("transformer.h", "attn.out_proj"),
    "opt": ("model.decoder.layers", "self_attn.out_proj"),
    "gpt_neox": ("gpt_neox.layers", "attention.dense"),
    "bloom": ("transformer.h", "self_attention.dense"),
    "falcon": ("transformer.h", "self_attention.dense"),
    "bert": ("bert.encoder.layer", "attention.output.dense"),
    "distilbert": ("distilbert.transformer.layer", "attention.out_lin"),
    "deberta_v2": ("deberta.encoder.layer", "attention.output.dense"),
    "modernbert": ("model.layers", "attn.Wo"),
    "t5 encoder": ("encoder.block", "layer.0.SelfAttention.o"),
    "t5 decoder": ("decoder.block", "layer.0.SelfAttention.o"),
    "t5 cross": ("decoder.block", "layer.1.EncDecAttention.o"),
    "bart encoder": ("model.encoder.layers", "self_attn.out_proj"),
    "bart decoder": ("model.decoder.layers", "self_attn.out_proj"),
    "bart cross": ("model.decoder.layers", "encoder_attn.out_proj"),
    "mamba": ("backbone.layers", ""),
    "qwen3_next": ("model.layers", "self_attn.o_proj"),
    "lfm2": ("model.layers", "self_attn.out_proj"),
}


def logits(net: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Tensor:
    """(token, token of the vocabulary) The model's own, of one text, in double precision of the copy's own numbers."""
    with torch.no_grad():
        return net(**inputs, use_cache=False).logits[0] if _takes_cache(net) else net(**inputs).logits[0]


def _takes_cache(net: PreTrainedModel) -> bool:
    return hasattr(net.config, "use_cache")


def projection(net: PreTrainedModel, family: str, layer: int) -> nn.Module:
    """The output projection of a layer's attention."""
    layers, inside = NAMES[family]
    return net.get_submodule(f"{layers}.{layer}.{inside}")


def without_heads(
    net: PreTrainedModel, family: str, heads: Collection[tuple[int, int]], count: int, instead: Tensor | None = None
) -> PreTrainedModel:
    """A copy whose output projections have zeros for these heads (of `count` in a layer).

    instead: (hidden of a head,), what each of them puts out for every token: it goes into the bias.
    """
    net = eager_copy(net)
    for layer, head in heads:
        module: Any = projection(net, family, layer)
        weight = module.weight.data if isinstance(module, Conv1D) else module.weight.data.T  # (given, hidden)
        size = len(weight) // count
        rows = slice(head * size, (head + 1) * size)
        if instead is not None:
            constant = instead @ weight[rows]
            bias = constant if module.bias is None else module.bias.data + constant
            module.bias = nn.Parameter(bias, requires_grad=False)
        weight[rows] = 0
    return net


def given_to_projection(net: PreTrainedModel, family: str, layer: int, inputs: Mapping[str, Tensor]) -> Tensor:
    """(token, all heads' hidden) What the output projection of a layer gets."""
    net, found = eager_copy(net), []
    projection(net, family, layer).register_forward_pre_hook(lambda _m, args: found.append(args[0]))
    logits(net, inputs)
    return found[0].reshape(-1, found[0].shape[-1])


@contextmanager
def edges_cut(
    lengths: Collection[int], edges: Collection[tuple[int, int]], calls: Collection[int], *, renormalise: bool = True
) -> Iterator[None]:
    """Inside, the softmaxes of these calls (counted from 0) have -inf for each edge (query, key), or zeros after it."""
    count = 0

    def softmax(scores: Tensor) -> Tensor:
        nonlocal count
        call, count = count, count + 1
        queries, keys = map(list, zip(*edges, strict=True))
        if call not in calls:
            return scores.softmax(-1)
        if not renormalise:
            weights = scores.softmax(-1)
            weights[..., queries, keys] = 0
            return weights
        # What a mask has hidden is as good as gone; a row with nothing left is zero.
        cut = scores.masked_fill(scores < torch.finfo(scores.dtype).min / 2, -torch.inf)
        cut[..., queries, keys] = -torch.inf
        return cut.softmax(-1).nan_to_num(0.0)

    with EagerAttention(list(lengths), 1, lambda _call, values: values, softmax):
        yield


def without_layer(net: PreTrainedModel, family: str, layer: int) -> PreTrainedModel:
    """A copy with one layer less."""
    net = deepcopy(net).eval()
    name = NAMES[family][0]
    before, _, last = name.rpartition(".")
    parent = net.get_submodule(before)
    layers = list(getattr(parent, last))
    setattr(parent, last, nn.ModuleList(layers[:layer] + layers[layer + 1 :]))
    for config in (net.config, getattr(parent, "config", None)):
        for setting in ("num_hidden_layers", "n_layer"):
            if hasattr(config, setting):
                setattr(config, setting, len(layers) - 1)
        for setting in ("layer_types",):
            kinds = getattr(config, setting, None)
            if kinds is not None and len(kinds) == len(layers):
                setattr(config, setting, kinds[:layer] + kinds[layer + 1 :])
    return net


def gradient_at_projection(
    net: PreTrainedModel,
    family: str,
    layer: int,
    inputs: Mapping[str, Tensor],
    positions: Collection[int],
    ids: Collection[int],
) -> Tensor:
    """(token, all heads' hidden) The gradient of the ids' log-probabilities at what a projection gets, by autograd."""
    net, found = eager_copy(net), []

    def keep(_module: nn.Module, args: tuple[Tensor, ...]) -> None:
        args[0].retain_grad()
        found.append(args[0])

    projection(net, family, layer).register_forward_pre_hook(keep)
    rows = net(**inputs).logits[0].float().log_softmax(-1)
    rows[list(positions), list(ids)].sum().backward()
    return found[0].grad.reshape(-1, found[0].shape[-1])
