"""Slow textbook versions to test against: they hold everything, and change nothing but a copy of the model."""

from copy import deepcopy

import torch
from torch import Tensor
from transformers import PreTrainedModel


def eager_attention(net: PreTrainedModel, inputs: dict[str, Tensor]) -> list[Tensor]:
    """The model's own attention, every layer: (batch, head, query, key); an encoder–decoder's encoder."""
    net = deepcopy(net).eval()
    if net._can_set_attn_implementation():
        net.set_attn_implementation("eager")
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
