"""The seam to untyped libraries does what it says."""

import pytest
import torch
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import classifier, tiny
from transformers import DynamicCache

from attnscope.models.typed import (
    applied,
    as_module,
    decoded,
    decoder_of,
    embedding_weight,
    layer_caches,
    on_gradient,
    output_layer,
    split,
    split_by,
    text_ids,
    weight_of,
)


def test_pieces_of_a_tensor() -> None:
    x = torch.arange(7)
    assert [len(piece) for piece in split(x, 3)] == [3, 3, 1]
    assert [len(piece) for piece in split(x, 0)] == [1] * 7, "at least one row each"
    assert [piece.tolist() for piece in split_by(x, (2, 0, 5))] == [[0, 1], [], [2, 3, 4, 5, 6]]


def test_parts_of_a_model() -> None:
    net = tiny("llama")
    assert embedding_weight(net) is net.model.embed_tokens.weight
    assert weight_of(net.lm_head) is net.lm_head.weight
    assert output_layer(net) is net.lm_head
    assert output_layer(classifier("Sequence").model) is None
    assert decoder_of(tiny("t5")) is not None
    with pytest.raises(AssertionError):
        as_module("not a module")


def test_text_and_ids() -> None:
    tokenizer = copy_tokenizer()
    assert decoded(tokenizer, text_ids(tokenizer, "a b c")) == "a b c"
    tokenizer.add_special_tokens({"bos_token": "a"})
    watch(tokenizer)
    assert decoded(tokenizer, text_ids(tokenizer, "a b"), skip_special_tokens=True) == "b"


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: object, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @staticmethod
    def backward(_ctx: object, *outer: torch.Tensor) -> torch.Tensor:
        return outer[0] * 10


def test_autograd() -> None:
    x = torch.ones(3, requires_grad=True)
    seen: list[torch.Tensor] = []
    y = applied(Doubled, x)
    on_gradient(y, seen.append)
    y.sum().backward()
    assert y.tolist() == [2, 2, 2]
    assert x.grad is not None
    assert x.grad.tolist() == [10, 10, 10]
    assert seen[0].tolist() == [1, 1, 1]


def test_a_caches_layers() -> None:
    cache = DynamicCache()
    keys, values = torch.randn(1, 2, 3, 4), torch.randn(1, 2, 3, 4)
    cache.update(keys, values, 0)
    (layer,) = layer_caches(cache)
    assert torch.equal(layer.keys, keys)
    assert torch.equal(layer.values, values)
