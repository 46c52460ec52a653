"""Adapters (PEFT: LoRA and its kin): which are at work in a model, the same model without them, and adapter folders.

A model with its adapter and without it are two models. The layers of an adapter stand inside the base model, so the
other one is a second set of modules around the same weights: it takes no memory worth the name.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import nn
from transformers import PreTrainedModel
from transformers.utils.peft_utils import find_adapter_config_file

from attnscope.errors import MissingExtraError, ModelError

# The task that an adapter was trained for → the Auto class of its base model.
_CLASSES = {
    "CAUSAL_LM": "AutoModelForCausalLM",
    "SEQ_2_SEQ_LM": "AutoModelForSeq2SeqLM",
    "SEQ_CLS": "AutoModelForSequenceClassification",
    "TOKEN_CLS": "AutoModelForTokenClassification",
}
_HEADS = ("score.weight", "classifier.weight", "classifier.out_proj.weight", "classification_head.out_proj.weight")


def of_peft(module: object) -> bool:
    """Whether the object is of a class of PEFT, which need not be installed."""
    return any(cls.__module__.split(".")[0] == "peft" for cls in type(module).__mro__)


def peft_kind(wrapper: Any) -> str:
    """The kinds of a PEFT model's adapters, such as "LORA"."""
    kinds = {str(getattr(config.peft_type, "value", config.peft_type)) for config in wrapper.peft_config.values()}
    return ", ".join(sorted(kinds))


def _adapter_layers(net: nn.Module) -> Iterator[tuple[str, Any]]:
    """The layers that hold adapters, outermost first, with their names."""
    for name, module in net.named_modules():
        if of_peft(module) and hasattr(module, "active_adapters") and hasattr(module, "set_adapter"):
            yield name, module


def adapters_of(net: nn.Module) -> tuple[str, ...]:
    """The names of the adapters that are at work in the model, merged ones too."""
    names: dict[str, None] = {}
    for _, layer in _adapter_layers(net):
        merged = list(getattr(layer, "merged_adapters", ()))
        if merged:
            names |= dict.fromkeys(merged)
        elif not layer.disable_adapters:
            names |= dict.fromkeys(name for name in layer.active_adapters if name in _held(layer))
    return tuple(names)


def _held(layer: Any) -> set[str]:
    """The adapters that this layer has something of."""
    return set(layer._get_available_adapters())


def with_adapter(net: PreTrainedModel, adapter: str | bool) -> PreTrainedModel:
    """The model with its adapters as they are (True), without any (False), or with the one of that name alone.

    Another choice than True is made in modules of their own around the same weights. Raises ModelError for an unknown
    name, and where adapters are merged into the weights.
    """
    if adapter is True:
        return net
    layers = list(_adapter_layers(net))
    if any(getattr(layer, "merged_adapters", ()) for _, layer in layers):
        raise ModelError("the adapter is merged into the weights: call unmerge_adapter() first, or load the base model")
    held = sorted({name for _, layer in layers for name in _held(layer)})
    if adapter is not False and adapter not in held:
        raise ModelError(f"the model has no adapter {adapter!r}: it has {', '.join(held) or 'none'}")
    shared = {id(tensor): tensor for tensor in (*net.parameters(), *net.buffers())}
    trainable = [(parameter, parameter.requires_grad) for parameter in net.parameters()]
    twin = copy.deepcopy(net, dict(shared))
    if adapter is False:
        for name, _ in layers:
            if name in dict(twin.named_modules()):  # not one inside another that is gone
                parent, _, child = name.rpartition(".")
                setattr(twin.get_submodule(parent), child, _without(twin.get_submodule(name)))
        return twin
    for name, _ in layers:
        layer: Any = twin.get_submodule(name)
        layer.set_adapter(adapter)
        if layer.disable_adapters:
            layer.enable_adapters(True)
    for parameter, flag in trainable:
        parameter.requires_grad_(flag)
    return twin


def _without(layer: Any) -> nn.Module:
    """What an adapter's layer was put around."""
    while of_peft(layer):
        layer = layer.original_module if hasattr(layer, "original_module") else layer.get_base_layer()
    return layer  # type: ignore[no-any-return]


def adapter_config_of(name: str | Path, revision: str | None = None, *, on_hub: bool = False) -> Path | None:
    """The adapter_config.json of an adapter's folder, or with on_hub of a repository; None where there is none."""
    if not on_hub:
        file = Path(name) / "adapter_config.json"
        return file if isinstance(name, Path) and file.is_file() else None
    try:
        found = find_adapter_config_file(str(name), revision=revision)
    except (OSError, ValueError):
        return None
    return None if found is None else Path(found)


def base_of(adapter_config: Path) -> tuple[str, str | None, dict[str, Any]]:
    """The name of the adapter's base model, the Auto class of its task, and what the base's configuration needs."""
    config = json.loads(adapter_config.read_text())
    base = config.get("base_model_name_or_path")
    if not base:
        raise ModelError(
            f"{adapter_config} names no base model: load it yourself, and pass "
            "attnscope.Model(PeftModel.from_pretrained(base, folder), tokenizer)"
        )
    folder = adapter_config.parent
    # Beside an adapter its base may lie, under a name relative to it or to the working folder.
    if not Path(base).exists() and (folder / base).is_dir():
        base = str(folder / base)
    auto = _CLASSES.get(str(config.get("task_type")))
    labels = _labels(folder) if auto and auto.endswith("Classification") else None
    return str(base), auto, {} if labels is None else {"num_labels": labels}


def _labels(folder: Path) -> int | None:
    """How many labels the head has that was saved with the adapter."""
    from safetensors import safe_open

    file = folder / "adapter_model.safetensors"
    if not file.is_file():
        return None
    with safe_open(file, "pt") as tensors:
        heads = [name for name in tensors.keys() if name.endswith(_HEADS)]  # noqa: SIM118
        return int(tensors.get_slice(heads[0]).get_shape()[0]) if heads else None


def adapted(net: PreTrainedModel, folder: Path, shown: str) -> nn.Module:
    """The PEFT model of that folder around the base. The adapter is called as its folder is.

    Raises MissingExtraError without peft, ModelError where the two do not fit.
    """
    try:
        from peft import PeftModel
    except ImportError as error:
        raise MissingExtraError("loading an adapter needs peft: run pip install 'attnscope[adapters]'") from error
    name = Path(shown).expanduser().resolve().name.replace(".", "_") or "adapter"
    try:
        model: nn.Module = PeftModel.from_pretrained(net, str(folder), adapter_name=name)
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"the adapter in {folder} does not fit {type(net).__name__}: {reason}") from error
    return model.eval()


def brought_whole(peft_model: Any) -> tuple[str, ...]:
    """The beginnings of the names of weights that the adapter brings whole, such as those of a head."""
    parts = peft_model.get_base_model().named_modules()
    return tuple(f"{name}." for name, module in parts if of_peft(module) and hasattr(module, "modules_to_save"))
