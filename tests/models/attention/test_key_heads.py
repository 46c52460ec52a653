"""Shared key heads are repeated for gradients on a CPU: the same numbers, and the function comes back."""

from typing import Any

import pytest
import torch
import transformers as hf
from snapshot import watch
from tiny_models import tiny
from torch import Tensor
from torch.nn import functional
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from attnscope.models.attention.key_heads import key_heads_repeated

IDS = torch.arange(3, 43)[None]


def gradient(net: hf.PreTrainedModel) -> Tensor:
    embeddings = net.get_input_embeddings()(IDS).detach().requires_grad_()
    return torch.autograd.grad(net(inputs_embeds=embeddings).logits.log_softmax(-1)[..., 5].sum(), embeddings)[0]


@pytest.mark.parametrize("head_dim", [8, 264])
def test_each_head_has_a_key_head_of_its_own(head_dim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond 256, transformers repeats the shared key heads itself: once is enough."""
    torch.manual_seed(0)
    net = hf.LlamaForCausalLM(
        hf.LlamaConfig(
            vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, head_dim=head_dim,
        )
    ).eval()  # fmt: skip
    watch(net)
    expected = gradient(net)
    fast, heads = functional.scaled_dot_product_attention, []

    def seen(query: Tensor, key: Tensor, value: Tensor, **named: Any) -> Tensor:
        heads.append((query.shape[1], key.shape[1], value.shape[1]))
        return fast(query, key, value, **named)

    monkeypatch.setattr(functional, "scaled_dot_product_attention", seen)
    with key_heads_repeated(net):
        found = gradient(net)
    assert heads == [(4, 4, 4)] * 2
    torch.testing.assert_close(found, expected, atol=1e-6 * float(expected.abs().max()), rtol=1e-4)


def test_where_no_key_heads_are_shared_nothing_is_replaced() -> None:
    with key_heads_repeated(tiny("gpt2")):
        assert ALL_ATTENTION_FUNCTIONS["sdpa"] is sdpa_attention_forward
    with key_heads_repeated(tiny("llama")):
        assert ALL_ATTENTION_FUNCTIONS["sdpa"] is not sdpa_attention_forward
    assert ALL_ATTENTION_FUNCTIONS["sdpa"] is sdpa_attention_forward
