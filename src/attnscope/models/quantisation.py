"""Which weights of a model are quantised, and by what: read off its layers, for a configuration may say nothing.

Kernels for quantised weights are made for inference. Where one is cut off from autograd, the rest of the model still
passes a gradient, around the layer, and nothing says that it is wrong: so each such layer is tried.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.model_facts import facts_of
from attnscope.models.typed import device_of

# How far a layer's gradient may be from what its output changes by, as a share: some round their input to 8 bits.
_TOLERANCE = 0.2


def quantisation_of(net: PreTrainedModel) -> str | None:
    """Such as "bitsandbytes nf4" or "torchao Int8Tensor"; None where all weights are plain numbers."""
    kinds = ", ".join(dict.fromkeys(_kinds(net)))
    if kinds:
        return kinds
    config = getattr(net.config, "quantization_config", None)
    method = getattr(config, "quant_method", None)
    return None if method is None else str(getattr(method, "value", method))


def _kinds(net: nn.Module) -> Iterator[str]:
    for module in net.modules():
        weight = module._parameters.get("weight")
        package = type(module).__module__.split(".")[0]
        if package == "bitsandbytes" and weight is not None:
            yield f"bitsandbytes {getattr(weight, 'quant_type', 'int8')}"
        elif type(weight).__module__.startswith("torchao."):
            yield f"torchao {type(weight).__name__}"
        elif type(module).__module__.startswith("torch.ao.nn.quantized"):
            yield "torch qint8"


def check_passes_gradients(net: PreTrainedModel) -> None:
    """Raise ModelError if a quantised layer does not pass the gradient of what it computes. Tried once a model."""
    facts = facts_of(net)
    if facts.passes_gradients:
        return
    for name, layer in net.named_modules():
        width = getattr(layer, "in_features", None) or getattr(layer, "infeatures", None)
        if isinstance(width, int) and _keeps_its_own_weights(layer) and not hasattr(layer, "base_layer"):
            x = torch.randn(2, width, generator=torch.Generator().manual_seed(0)).to(device_of(net), net.dtype)
            if not _passes_gradient(layer, x):
                raise ModelError(
                    f"no gradient passes the quantised layer {name} ({quantisation_of(net)}, {type(layer).__name__}), "
                    f"so a gradient of {type(net).__name__} would be that of a model without such layers: use "
                    "attention or deletion, or load the model without quantisation"
                )
    facts.passes_gradients = True


def _keeps_its_own_weights(layer: nn.Module) -> bool:
    """Whether a layer has weights, and in another form than a plain parameter."""
    weight = layer._parameters.get("weight")
    if weight is None:
        # In buffers (GPTQ, AWQ), or packed (torch's own); a module of other modules has none.
        return bool(layer._buffers) or type(layer).__module__.startswith("torch.ao.nn.quantized")
    return type(weight) is not nn.Parameter or not weight.is_floating_point()


def _passes_gradient(layer: Any, x: Tensor) -> bool:
    """Whether, from one of two inputs to the other, the output changes by the gradient times the input's change."""
    start, end = x[:1].clone().requires_grad_(), x[1:].clone().requires_grad_()
    with torch.enable_grad():
        output = layer(start)
        change = (layer(end) - output).detach()
        if not output.requires_grad:
            return False
        (gradient,) = torch.autograd.grad(output, start, change, allow_unused=True)
    if gradient is None:
        return False
    expected, got = change.float().square().sum(), (gradient.float() * (end - start).detach().float()).sum()
    return bool((got - expected).abs() <= _TOLERANCE * expected)
