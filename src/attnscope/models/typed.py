"""The seam to what torch and transformers leave untyped, so that the rest of `models` can be checked strictly."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from attnscope.errors import ModelError

_ONE_READER = threading.RLock()


def split(x: Tensor, size: int) -> tuple[Tensor, ...]:
    """The tensor in pieces of `size` rows (at least one), the last one shorter."""
    pieces: tuple[Tensor, ...] = x.split(max(1, size))  # type: ignore[no-untyped-call]
    return pieces


def split_by(x: Tensor, sizes: tuple[int, ...]) -> tuple[Tensor, ...]:
    """The tensor in pieces of these numbers of rows."""
    pieces: tuple[Tensor, ...] = x.split(sizes)  # type: ignore[no-untyped-call]
    return pieces


def as_module(part: object) -> nn.Module:
    """A part of a model that transformers does not type."""
    assert isinstance(part, nn.Module)
    return part


def output_layer(net: PreTrainedModel) -> nn.Module | None:
    """The layer that gives the logits of the vocabulary; None where the model has none."""
    layer: nn.Module | None = net.get_output_embeddings()  # type: ignore[no-untyped-call]
    return layer


def decoder_of(net: PreTrainedModel) -> object:
    """What the model calls its decoder."""
    return net.get_decoder()  # type: ignore[no-untyped-call]


def weight_of(layer: nn.Module) -> Tensor:
    """The layer's matrix: of embeddings (id, hidden)."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return weight


def input_embeddings(net: Any) -> nn.Module:
    """The layer of token embeddings. Raises ModelError for a model or part that has none."""
    try:
        layer = net.get_input_embeddings()
    except NotImplementedError:
        layer = None
    if not isinstance(layer, nn.Module) or not isinstance(getattr(layer, "weight", None), Tensor):
        raise ModelError(
            f"{type(net).__name__} has no layer of token embeddings that attnscope can find: load the part of it that "
            "reads text (of CLIP, CLIPTextModel), or a model that reads tokens"
        )
    return layer


def embedding_weight(net: PreTrainedModel) -> Tensor:
    """The matrix (id, hidden) of the model's input embeddings. Raises ModelError where there is none."""
    return weight_of(input_embeddings(net))


def device_of(net: PreTrainedModel) -> torch.device:
    """Where the model's input goes: to the device on which its input embeddings are looked up.

    accelerate may keep the weights elsewhere, and brings them to that device as they are needed.
    """
    try:
        layer = input_embeddings(net)
    except ModelError:  # VITS names none
        return net.device
    for module in (layer, *layer.modules(), net):
        hook = getattr(module, "_hf_hook", None)
        for one in (hook, *getattr(hook, "hooks", ())):
            device = getattr(one, "execution_device", None)
            if device is not None:
                return torch.device(device)
    return weight_of(layer).device


def devices_of(net: PreTrainedModel) -> str:
    """The devices that hold the model, such as "cpu" or "cuda:0, disk"."""
    kept = getattr(net, "hf_device_map", None) or {"": device_of(net)}
    names = (f"cuda:{device}" if isinstance(device, int) else str(device) for device in kept.values())
    return ", ".join(dict.fromkeys(names))


def decoded(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
    """The text of these ids, spaces as they are."""
    text = tokenizer.decode(list(ids), skip_special_tokens=skip_special_tokens, clean_up_tokenization_spaces=False)
    assert isinstance(text, str)  # a list of lists of ids would give a list
    return text


def text_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """The ids of the text alone, without special tokens, and without warnings."""
    with tokenizer_unchanged(tokenizer):
        return list(tokenizer(text, add_special_tokens=False, padding=False, verbose=False)["input_ids"])


def target_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """The ids of a text that a decoder is to write, with the special tokens that belong to it."""
    with tokenizer_unchanged(tokenizer):
        return list(tokenizer(text_target=text, padding=False, verbose=False)["input_ids"])


@contextmanager
def tokenizer_unchanged(tokenizer: PreTrainedTokenizerBase) -> Iterator[None]:
    """transformers switches off the backend's own truncation and padding for a call, and leaves them off.

    One thread at a time: the backend cannot be changed while another reads with it ("Already borrowed"), and a text
    must not be read with what another thread has switched.
    """
    if not tokenizer.is_fast:
        yield
        return
    backend = tokenizer.backend_tokenizer
    with _ONE_READER:
        truncation, padding, split = backend.truncation, backend.padding, backend.encode_special_tokens
        try:
            yield
        finally:
            if truncation != backend.truncation and truncation is not None:
                backend.enable_truncation(**truncation)
            if padding != backend.padding and padding is not None:
                backend.enable_padding(**padding)
            if split != backend.encode_special_tokens:
                backend.encode_special_tokens = split


def applied(function: type[torch.autograd.Function], *args: Any) -> Tensor:
    """`function.apply(*args)`, for one that gives one tensor."""
    output: Tensor = function.apply(*args)  # type: ignore[no-untyped-call]
    return output


def on_gradient(x: Tensor, see: Callable[[Tensor], None]) -> None:
    """Have `see` called with the gradient at `x` once there is one."""
    x.register_hook(see)  # type: ignore[no-untyped-call]


class LayerCache(Protocol):
    """One layer's keys and values, (batch, key head, key, hidden)."""

    keys: Tensor
    values: Tensor


def layer_caches(cache: DynamicCache) -> Sequence[LayerCache]:
    """The cache layer by layer, of a model that has only attention layers."""
    return cast("Sequence[LayerCache]", cache.layers)
