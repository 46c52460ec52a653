"""Which call is which layer and stack, and models that are refused."""

import pytest
import torch
import transformers as hf
from tiny_models import tiny

from attnscope.errors import ModelError
from attnscope.models.attention.layout import attention_layout, body_of, checked_stack

IDS = {"input_ids": torch.arange(3, 23)[None]}
BOTH = {**IDS, "decoder_input_ids": torch.arange(5, 15)[None]}


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_the_stacks_of_an_encoder_decoder(family: str) -> None:
    net = tiny(family)
    encoder = attention_layout(net, IDS)
    assert encoder.calls == tuple(("encoder", layer) for layer in range(3))
    both = attention_layout(net, BOTH, "cross")
    assert both.calls[:3] == encoder.calls
    assert both.calls[3:] == tuple((stack, layer) for layer in range(3) for stack in ("decoder", "cross"))
    assert both.heads_of("cross") == [4, 4, 4]
    assert attention_layout(net, BOTH, "decoder") is both
    assert body_of(net, "encoder") is net.get_encoder()
    assert body_of(net, "cross") is net.base_model


def test_a_stack_that_the_model_does_not_have() -> None:
    assert [checked_stack(tiny("llama"), None), checked_stack(tiny("t5"), None)] == ["self", "encoder"]
    with pytest.raises(ModelError, match="LlamaForCausalLM has no 'cross' attention"):
        checked_stack(tiny("llama"), "cross")
    with pytest.raises(ModelError, match="choose from encoder, decoder, cross"):
        checked_stack(tiny("t5"), "self")


def test_modules_outside_the_interface_are_hooked() -> None:
    net = tiny("bloom")
    layout = attention_layout(net, IDS)
    modules = [block.self_attention for block in net.transformer.h]
    assert [module for module, _ in layout.hooked] == modules
    assert layout.values
    assert not attention_layout(tiny("llama"), IDS).hooked


def test_a_model_without_attention_is_refused_by_name() -> None:
    config = hf.MambaConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2, state_size=4)
    net = hf.MambaForCausalLM(config).eval()
    with pytest.raises(ModelError, match=r"MambaForCausalLM .*attention"):
        attention_layout(net, {"input_ids": torch.randint(3, 64, (1, 9))})


def test_a_model_whose_attention_is_changed_behind_our_back_is_refused() -> None:
    """What the probe is for: eager attention that does something the interface is not told of."""
    net = tiny("llama")
    modeling = hf.models.llama.modeling_llama
    honest = modeling.eager_attention_forward

    def biased(module: object, query: torch.Tensor, *args: object, **kwargs: object) -> object:
        return honest(module, query * 1.5, *args, **kwargs)

    modeling.eager_attention_forward = biased
    try:
        with pytest.raises(ModelError, match=r"LlamaForCausalLM .* layer 0 differs"):
            attention_layout(net, IDS)
    finally:
        modeling.eager_attention_forward = honest
    assert net.config._attn_implementation == "sdpa"
