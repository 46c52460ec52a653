"""Which of the model's layers a call of attention is in, where not all of them attend."""

import pytest
import torch
import transformers as hf
from snapshot import watch
from tiny_models import ENCODER_DECODER, FAMILIES, GROUPED, HYBRID, SIZE, hybrid, tiny

from attnscope.methods.attention.layers import coverage
from attnscope.models.attention.layout import attention_layout

IDS = {"input_ids": torch.arange(3, 11)[None], "decoder_input_ids": torch.arange(3, 8)[None]}


@pytest.mark.parametrize("family", HYBRID)
def test_the_models_own_numbers(family: str) -> None:
    net = hybrid(family)
    layout = attention_layout(net, IDS)
    attending, kinds = HYBRID[family][3], layout.kinds_of("self")
    assert list(layout.heads_of("self")) == attending
    assert len(kinds) == net.config.num_hidden_layers
    assert [i for i, kind in enumerate(kinds) if kind == "attention"] == attending


def test_what_mixes_tokens_beside_attention_counts_as_a_layer_of_its_own() -> None:
    """A layer of Falcon-H1 has attention and a state space side by side; half of ConvBERT's heads are a convolution."""
    state_space = {"mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_chunk_size": 8}
    falcon = hf.FalconH1ForCausalLM(hf.FalconH1Config(**GROUPED, **state_space, mamba_n_groups=1)).eval()
    convbert = hf.ConvBertModel(hf.ConvBertConfig(**SIZE, embedding_size=32)).eval()
    for net in (falcon, convbert):
        watch(net)
        layout = attention_layout(net, {"input_ids": torch.arange(3, 11)[None]})
        assert layout.beside_of("self") == [0, 1, 2]
        assert coverage(layout, "self") == (3, 6)
        assert coverage(layout, "self", 0) == (1, 2)
    assert attention_layout(hybrid("jamba"), IDS).beside_of("self") == []


@pytest.mark.parametrize("family", FAMILIES)
def test_where_all_attend_they_are_counted_from_0(family: str) -> None:
    net = tiny(family)
    for stack in ("encoder", "decoder", "cross") if family in ENCODER_DECODER else ("self",):
        layout = attention_layout(net, IDS, stack)
        assert layout.heads_of(stack) == {0: 4, 1: 4, 2: 4}
        assert layout.kinds_of(stack) == ("attention",) * 3
        assert not layout.kinds
        assert not layout.beside
