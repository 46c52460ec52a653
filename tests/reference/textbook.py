"""Slow textbook versions to test against: they hold everything, and change nothing but a copy of the model."""

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import Tensor
from torch.nn import Module
from transformers import PreTrainedModel

from reference.eager import eager_copy


def eager_attention(net: PreTrainedModel, inputs: dict[str, Tensor]) -> list[Tensor]:
    """The model's own attention, every layer: (batch, head, query, key); an encoder–decoder's encoder."""
    net = eager_copy(net)
    body = net.get_encoder() if net.config.is_encoder_decoder else net.base_model
    with torch.no_grad():
        return [w for w in body(**inputs, output_attentions=True).attentions if w is not None]


def autograd_gradient(net: PreTrainedModel, inputs: dict[str, Tensor]) -> tuple[Tensor, float]:
    """Plain `loss.backward()` with labels = input ids: the gradient at the embeddings (token, hidden); the loss."""
    net = deepcopy(net).eval()
    embedded: list[Tensor] = []

    def keep(_module: object, _args: object, output: Tensor) -> None:
        if not embedded:
            output.retain_grad()
            embedded.append(output)

    body = net.get_encoder() if net.config.is_encoder_decoder else net
    body.get_input_embeddings().register_forward_hook(keep)
    loss = net(**inputs, labels=inputs["input_ids"]).loss
    loss.backward()
    assert embedded[0].grad is not None
    return embedded[0].grad[0], float(loss.item())


def embedding_matrix_gradient(net: PreTrainedModel, inputs: dict[str, Tensor]) -> Tensor:
    """The gradient of the input embedding matrix alone, (vocabulary, hidden): with an output head of its own."""
    net = deepcopy(net).eval()
    head = net.get_output_embeddings()
    head.weight = torch.nn.Parameter(head.weight.detach().clone())
    net(**inputs, labels=inputs["input_ids"]).loss.backward()
    gradient = net.get_input_embeddings().weight.grad
    assert gradient is not None
    return gradient


def fused(weights: Tensor, over: str) -> Tensor:
    """(head, query, key) -> (query, key)"""
    return {"mean": weights.mean(0), "max": weights.amax(0), "min": weights.amin(0)}[over]


def rollout(layers: list[Tensor], over: str = "mean", residual: float = 0.5) -> Tensor:
    """Abnar & Zuidema: the product of all layers' matrices (head, query, key), everything held: (query, key)."""
    result = torch.eye(layers[0].shape[-1])
    for weights in layers:
        mixed = (1 - residual) * fused(weights, over) + residual * torch.eye(len(result))
        result = mixed / mixed.sum(1, keepdim=True) @ result
    return result


def chefer(net: PreTrainedModel, inputs: dict[str, Tensor], value: Callable[[Tensor], Tensor]) -> Tensor:
    """Chefer et al. with every matrix and its gradient held: the relevance (query, key) for `value` of the logits."""
    net = eager_copy(net)
    outputs = net(**inputs, output_attentions=True)
    layers = [weights for weights in outputs.attentions if weights is not None]
    gradients = torch.autograd.grad(value(outputs.logits[0]), layers)
    result = torch.eye(layers[0].shape[-1])
    for weights, gradient in zip(layers, gradients, strict=True):
        positive = (weights * gradient)[0].clamp(min=0).mean(0)
        result = result + positive @ result
    return result.detach()


def head_outputs(net: PreTrainedModel, inputs: dict[str, Tensor], layer: int) -> tuple[Tensor, Tensor, int]:
    """A Llama layer's projected values of each head by hand, (head, key, hidden); its attention; its heads."""
    body = deepcopy(net).eval().base_model
    hidden = {}
    block = body.layers[layer]

    def keep(_module: object, args: tuple[Tensor, ...], kwargs: dict[str, Tensor]) -> None:
        hidden["x"] = kwargs["hidden_states"] if "hidden_states" in kwargs else args[0]

    block.self_attn.register_forward_pre_hook(keep, with_kwargs=True)
    with torch.no_grad():
        body(**inputs)
        attention = block.self_attn
        heads, width = net.config.num_attention_heads, attention.head_dim
        values = attention.v_proj(hidden["x"])[0].view(-1, net.config.num_key_value_heads, width)
        values = values.repeat_interleave(heads // net.config.num_key_value_heads, 1)
        projection = attention.o_proj.weight.view(-1, heads, width)
        projected = torch.einsum("khd,ehd->hke", values, projection)
    return projected, eager_attention(net, inputs)[layer][0], heads


def gated_head_outputs(net: PreTrainedModel, inputs: dict[str, Tensor], layer: int) -> tuple[Tensor, Tensor]:
    """What each key writes into each query in a layer of Qwen3-Next's attention, by hand, and what the layer writes.

    (head, query, key, hidden) and (query, hidden). Its queries' projection makes each head's query and then its gate.
    """
    body = eager_copy(net).base_model
    attention, given = body.layers[layer].self_attn, []
    attention.register_forward_pre_hook(lambda _m, _a, named: given.append(named["hidden_states"][0]), with_kwargs=True)
    with torch.no_grad():
        weights = [w for w in body(**inputs, output_attentions=True).attentions if w is not None]
        wrote: list[Tensor] = []
        attention.register_forward_hook(lambda _m, _a, output: wrote.append(output[0][0]))
        body(**inputs)
        size, shares = attention.head_dim, weights[_attending(body).index(layer)][0]
        gate = attention.q_proj(given[0]).unflatten(-1, (len(shares), 2 * size))[..., size:].sigmoid()
        values = attention.v_proj(given[0]).unflatten(-1, (-1, size))
        values = values.repeat_interleave(len(shares) // values.shape[1], 1)
        matrix = attention.o_proj.weight.T.unflatten(0, (len(shares), size))
        factors = (shares.float(), values.float(), gate.float(), matrix.float())
        return torch.einsum("hqk,khd,qhd,hde->hqke", *factors), wrote[0]


def _attending(body: Module) -> list[int]:
    return [i for i, block in enumerate(body.layers) if hasattr(block, "self_attn")]


def zeroed_values(net: PreTrainedModel, inputs: dict[str, Tensor], layer: int, missing: int) -> tuple[Tensor, Tensor]:
    """How a layer's outputs change without one token's value vector, by a hook on what projects values.

    (token,): the cosine distance of the block's outputs; (token, hidden): the difference in what its attention writes.
    """
    from torch.nn.functional import cosine_similarity

    blocks, wrote = [], []
    for zero in (False, True):
        copy = eager_copy(net)  # Falcon's fast attention has another ALiBi
        body = copy.base_model
        block = (getattr(body, "layers", None) or getattr(body, "h", None) or body.encoder.layer)[layer]
        value, output, erase = _value_projection(net, block, missing)
        if zero:
            value.register_forward_hook(lambda _m, _a, out, erase=erase: erase(out.clone()))
        output.register_forward_hook(lambda _m, _a, out: wrote.append(out[0]))
        block.register_forward_hook(lambda _m, _a, out: blocks.append((out[0] if isinstance(out, tuple) else out)[0]))
        with torch.no_grad():
            body(**inputs)
    return 1 - cosine_similarity(blocks[0].double(), blocks[1].double(), -1), wrote[0] - wrote[1]


def _value_projection(
    net: PreTrainedModel, block: Module, missing: int
) -> tuple[Module, Module, Callable[[Tensor], Tensor]]:
    """What makes the values, what their sum goes through, and how to make one token's values zero in the former."""

    def whole(made: Tensor) -> Tensor:
        made[:, missing] = 0
        return made

    def of_each_head(made: Tensor) -> Tensor:  # query, key, value of head after head
        made.view(*made.shape[:2], heads, 3, -1)[:, missing, :, 2] = 0
        return made

    def of_each_group(made: Tensor) -> Tensor:  # queries of head after head, then one key and value
        made.view(*made.shape[:2], net.config.num_kv_heads, -1, net.config.head_dim)[:, missing, :, -1] = 0
        return made

    heads = net.config.num_attention_heads
    family = net.config.model_type
    if family == "falcon":
        grouped = net.config.new_decoder_architecture
        attention = block.self_attention
        return attention.query_key_value, attention.dense, of_each_group if grouped else of_each_head
    if family == "bloom":
        return block.self_attention.query_key_value, block.self_attention.dense, of_each_head
    if family == "gptj":
        return block.attn.v_proj, block.attn.out_proj, whole
    if family == "deberta-v2":
        return block.attention.self.value_proj, block.attention.output.dense, whole
    return block.self_attn.v_proj, block.self_attn.o_proj, whole


def flow_to(layers: list[Tensor], query: int, *keys: int) -> float:
    """Abnar & Zuidema's maximum flow by linear programming, of the top layer's query to input tokens together."""
    import numpy as np
    from scipy.optimize import linprog

    tokens = layers[0].shape[-1]
    edges = []
    for layer, weights in enumerate(layers):
        mixed = weights.mean(0).double().numpy() + np.eye(tokens)
        mixed /= mixed.sum(1, keepdims=True)
        edges += [
            ((layer + 1) * tokens + i, layer * tokens + j, mixed[i, j]) for i in range(tokens) for j in range(tokens)
        ]
    start = len(layers) * tokens + query
    balance = np.zeros(((len(layers) + 1) * tokens, len(edges)))
    for number, (one, other, _) in enumerate(edges):
        balance[one, number] += 1
        balance[other, number] -= 1
    inner = [node for node in range(len(balance)) if node not in (start, *keys)]
    found = linprog(
        -balance[start],
        A_eq=balance[inner],
        b_eq=np.zeros(len(inner)),
        bounds=[(0, capacity) for *_, capacity in edges],
    )
    return float(-found.fun)
