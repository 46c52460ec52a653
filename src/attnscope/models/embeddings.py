"""The input embeddings of a text, and the baselines that replace those of a removed word."""

from contextlib import suppress

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import InputError, ModelError
from attnscope.models.architecture import accepted, embedding_layer
from attnscope.models.hooks import EarlyExit, hooked, of_text, one_tensor
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.load import Model
from attnscope.models.targets.readout import Readout, batch_inputs
from attnscope.models.targets.target import Objective
from attnscope.models.typed import split, text_ids, weight_of

BASELINES = ("zero", "mean", "mask", "pad")
# Before the text of a token that is the baseline.
TOKEN = "token:"


def embedded(net: PreTrainedModel, objective: Objective) -> Tensor:
    """The embedding layer's output for the scored tokens: (token, hidden), float64 on the CPU."""
    vectors = readout_embeddings(net, objective.readouts[0])
    return objective.on_tokens(vectors[None])[0]


def readout_embeddings(net: PreTrainedModel, readout: Readout) -> Tensor:
    """The embedding layer's output for all tokens of a readout: (token, hidden), float64 on the CPU.

    Taken from a pass that stops there, because what a model does around the layer is its own business.
    """
    outputs: list[Tensor] = []

    inputs = batch_inputs(net, [readout])

    def keep(_module: object, args: tuple[Tensor, ...], output: Tensor) -> None:
        outputs.append(of_text(net, args[0], output, inputs["input_ids"])[0].detach())
        raise EarlyExit

    with unchanged(net), torch.no_grad(), hooked(embedding_layer(net), keep), suppress(EarlyExit):
        net(**accepted(net, inputs))
    return outputs[0][0].double().cpu()


def baseline_vector(model: Model, baseline: str) -> Tensor:
    """The embedding (hidden,) of "nothing": zeros, the mean over the vocabulary, or a token's own.

    That token is the mask or pad token, or as in "token: the" the one of that text. Raises InputError for another name
    or a text of several tokens, ModelError where the tokenizer has no such token.
    """
    layer = embedding_layer(model.model)
    if isinstance(baseline, str) and baseline.startswith(TOKEN):
        with torch.no_grad():
            return _embed(layer, torch.tensor([_single_id(model, baseline.removeprefix(TOKEN))]))[0]
    if baseline not in BASELINES:
        raise InputError(f"baseline={baseline!r}: choose from {', '.join(BASELINES)}, or a token, as in 'token: the'")
    if baseline in ("mask", "pad"):
        with torch.no_grad():
            return _embed(layer, torch.tensor([baseline_id(model, baseline)]))[0]
    if baseline == "zero":
        return torch.zeros(_width(layer), dtype=torch.float64)
    return _mean(layer)


def default_baseline(model: Model) -> str:
    """The mask token where the tokenizer has one, else zeros."""
    return "mask" if model.tokenizer.mask_token_id is not None else "zero"


def _single_id(model: Model, text: str) -> int:
    ids = text_ids(model.tokenizer, text)
    if len(ids) != 1 or ids[0] == model.tokenizer.unk_token_id:
        raise InputError(
            f"the baseline's text {text!r} has {len(ids)} tokens that the model knows: give one of one token"
        )
    return ids[0]


def baseline_id(model: Model, baseline: str) -> int:
    """The id of the mask or pad token. Raises ModelError where the tokenizer has none."""
    identity = model.tokenizer.mask_token_id if baseline == "mask" else model.tokenizer.pad_token_id
    if identity is None:
        raise ModelError(f"the tokenizer has no {baseline} token: choose another baseline, such as 'mean'")
    return int(identity)


def _embed(layer: nn.Module, ids: Tensor) -> Tensor:
    """(token,) -> (token, hidden), float64 on the CPU; through the layer, because some scale what the matrix holds."""
    device = weight_of(layer).device
    # Weights that accelerate keeps elsewhere are brought as they are needed, and the ids with them.
    return one_tensor(layer, layer(ids if device.type == "meta" else ids.to(device))).double().cpu()


def _width(layer: nn.Module) -> int:
    with torch.no_grad():
        return _embed(layer, torch.zeros(1, dtype=torch.long)).shape[-1]


def _mean(layer: nn.Module) -> Tensor:
    total = torch.zeros(_width(layer), dtype=torch.float64)
    size = len(weight_of(layer))
    with torch.no_grad():
        for ids in split(torch.arange(size), 4096):
            total += _embed(layer, ids).sum(0)
    return total / size
