"""The input embeddings of a text, and what stands in their place when a word is taken away."""

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.errors import InputError, ModelError
from attnscope.models.architecture import accepted, embedding_layer
from attnscope.models.hooks import Cut
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.load import Model
from attnscope.models.targets.readout import Reading, batch_inputs
from attnscope.models.targets.target import Objective

BASELINES = ("zero", "mean", "mask", "pad")


def embedded(net: PreTrainedModel, objective: Objective) -> Tensor:
    """What the embedding layer gives for the scored tokens: (token, hidden), float64 on the CPU."""
    found = at_embeddings(net, objective.readings[0])
    return objective.on_tokens(found[None])[0]


def at_embeddings(net: PreTrainedModel, reading: Reading) -> Tensor:
    """What the embedding layer gives for all tokens of a reading: (token, hidden), float64 on the CPU.

    Taken from a pass that stops there, because what a model does around the layer is its own business.
    """
    kept: list[Tensor] = []

    def keep(_module: object, _args: object, output: Tensor) -> None:
        kept.append(output.detach())
        raise Cut

    with unchanged(net), torch.no_grad():
        handle = embedding_layer(net).register_forward_hook(keep)
        try:
            net(**accepted(net, batch_inputs(net, [reading])))
        except Cut:
            pass
        finally:
            handle.remove()
    return kept[0][0].double().cpu()


def baseline_vector(model: Model, baseline: str) -> Tensor:
    """The embedding (hidden,) of "nothing": zeros, the mean over the vocabulary, or the mask or pad token's own.

    Raises InputError for another name, ModelError where the tokenizer has no such token.
    """
    if baseline not in BASELINES:
        raise InputError(f"baseline={baseline!r}: choose from {', '.join(BASELINES)}")
    layer = embedding_layer(model.model)
    if baseline in ("mask", "pad"):
        with torch.no_grad():
            ids = torch.tensor([baseline_id(model, baseline)], device=layer.weight.device)
            return layer(ids)[0].double().cpu()
    if baseline == "zero":
        return torch.zeros(_width(layer), dtype=torch.float64)
    return _mean(layer)


def baseline_id(model: Model, baseline: str) -> int:
    """The id of the mask or pad token. Raises ModelError where the tokenizer has none."""
    identity = model.tokenizer.mask_token_id if baseline == "mask" else model.tokenizer.pad_token_id
    if identity is None:
        raise ModelError(f"the tokenizer has no {baseline} token: choose another baseline, such as 'mean'")
    return int(identity)


def _width(layer: torch.nn.Module) -> int:
    with torch.no_grad():
        return layer(torch.zeros(1, dtype=torch.long, device=layer.weight.device)).shape[-1]


def _mean(layer: torch.nn.Module) -> Tensor:
    # Through the layer, because some scale what the matrix holds.
    total = torch.zeros(_width(layer), dtype=torch.float64)
    with torch.no_grad():
        for ids in torch.arange(len(layer.weight), device=layer.weight.device).split(4096):
            total += layer(ids).double().sum(0).cpu()
    return total / len(layer.weight)
