"""4-bit weights of bitsandbytes on a CPU, before and after they were packed for inference."""

from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from planted import copy_tokenizer
from tiny_models import tiny
from torch import Tensor, nn

import attnscope as ats
from attnscope.models.packed_weights import unpacked

TEXT = "a b c d e f"
SIZE = {
    "vocab_size": 64, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "initializer_range": 0.3,
}  # fmt: skip
METHODS = ("gradient", "gim", "deletion", "attention_gradient", "value_norm")
pytestmark = pytest.mark.filterwarnings("ignore")  # of bitsandbytes


def in_4_bit(*, nested: bool = False) -> Any:
    import bitsandbytes

    # Packed weights need outputs in thirty-twos, and whole blocks of inputs.
    torch.manual_seed(0)
    net = hf.LlamaForCausalLM(hf.LlamaConfig(**SIZE))
    for name in [name for name, module in net.model.named_modules() if isinstance(module, nn.Linear)]:
        parent, _, child = f"model.{name}".rpartition(".")
        plain = net.get_submodule(f"model.{name}")
        layer = bitsandbytes.nn.Linear4bit(
            plain.in_features, plain.out_features, bias=False, compute_dtype=torch.float32, quant_type="nf4"
        )
        layer.weight = bitsandbytes.nn.Params4bit(
            plain.weight.data.clone(), requires_grad=False, quant_type="nf4", blocksize=64, compress_statistics=nested
        )
        setattr(net.get_submodule(parent), child, layer.to("cpu"))
    return net.eval()


def scores(net: Any) -> dict[str, np.ndarray]:
    model = ats.Model(net, copy_tokenizer())
    return {name: ats.explain(model, TEXT, method=name).token_scores for name in METHODS}


def by_plain_autograd(net: Any) -> Tensor:
    embeddings = net.get_input_embeddings()(torch.arange(4, 10)[None]).detach().requires_grad_()
    net(inputs_embeds=embeddings, labels=torch.arange(4, 10)[None]).loss.backward()
    return embeddings.grad


def weight(net: Any) -> Any:
    return net.model.layers[0].self_attn.q_proj.weight


def test_attnscope_packs_nothing() -> None:
    """Its own passes without gradients come before those with."""
    net = in_4_bit()
    before = weight(net).quant_state
    expected = by_plain_autograd(in_4_bit()).norm(dim=-1)[0]
    model = ats.Model(net, copy_tokenizer())
    for _ in range(2):
        ats.explain(model, TEXT, method="deletion")
        np.testing.assert_allclose(ats.explain(model, TEXT).token_scores, expected, rtol=1e-4, atol=1e-6)
    assert weight(net).quant_state is before
    assert not getattr(before, "packing_format_for_cpu", False)


def packed(net: Any) -> Any:
    """As bitsandbytes leaves it after a pass without gradients where the processor has AVX512-BF16; by its own code."""
    from bitsandbytes.functional import _convert_weight_packed_for_cpu as pack

    for layer in [module for module in net.modules() if hasattr(module._parameters.get("weight"), "quant_state")]:
        layer.weight.data, layer.weight.quant_state = pack(layer.weight.data, layer.weight.quant_state)
    return net


@pytest.mark.parametrize("nested", [False, True])
def test_packed_weights_pass_gradients_and_stay_packed(nested: bool) -> None:
    net = packed(in_4_bit(nested=nested))
    state, data = weight(net).quant_state, weight(net).data
    place, bits = data.data_ptr(), data.clone()
    own = scores(net)
    assert (weight(net).quant_state, weight(net).data.data_ptr()) == (state, place)
    assert state.packing_format_for_cpu
    assert torch.equal(weight(net).data, bits)
    for name, expected in scores(in_4_bit(nested=nested)).items():  # packing rounds the scales of blocks to bfloat16
        assert np.abs(own[name] - expected).max() <= 0.05 * np.abs(expected).max(), name


def test_plain_weights_are_left_alone() -> None:
    net = tiny("llama")
    with unpacked(net):
        assert not any(module._forward_pre_hooks for module in net.modules())
