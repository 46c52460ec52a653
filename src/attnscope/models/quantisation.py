"""Which weights of a model are quantised, and by what: read off its layers, for a configuration may say nothing."""

from collections.abc import Iterator

from torch import nn
from transformers import PreTrainedModel


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
