"""A layer run again without a token's value: against a layer whose values are set to zero by a hook."""

import pytest
import torch
import transformers as hf
from tiny_models import tiny
from torch import Tensor
from torch.nn.functional import cosine_similarity

from attnscope.methods.attention.value_zeroing import cosine_distance
from attnscope.models.attention import rerun_layers
from attnscope.models.attention.rerun_layers import rerun_without_values
from reference.eager import eager_copy, without_each_token
from reference.textbook import zeroed_values

IDS = {"input_ids": torch.arange(3, 11)[None]}


@pytest.mark.parametrize("budget", [4096, 20])
@pytest.mark.parametrize("family", ["llama", "bloom"])
def test_the_distance_is_taken_from_the_outputs_without_a_value(
    family: str, budget: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerun_layers, "BUDGET", budget)
    net = tiny(family)
    found = rerun_without_values(net, IDS, "self", [0, 1], cosine_distance)
    assert len(found) == 2
    for layer, distances in enumerate(found):
        expected = torch.stack([zeroed_values(net, IDS, layer, j)[0] for j in range(8)], 1)
        torch.testing.assert_close(distances, expected.float(), atol=1e-5, rtol=0)


def test_any_distance_can_be_asked_for() -> None:
    """A causal token's output does not know what comes later, to the rounding of a batch."""

    def largest(without: Tensor, output: Tensor) -> Tensor:
        return (without - output).abs().amax(-1)

    (distances,) = rerun_without_values(tiny("llama"), IDS, "self", [0], largest)
    assert distances.triu(1).max() < 1e-4
    assert distances.diagonal().min() > 1e-3


def test_layers_that_share_keys_and_values_run_again_with_them() -> None:
    """Gemma 4's last layers read the keys and values of an earlier one, which they are given by name."""
    sizes = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "head_dim": 16, "global_head_dim": 16}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "num_kv_shared_layers": 1}
    layers = {"num_hidden_layers": 3, "layer_types": ["full_attention"] * 3, "hidden_size_per_layer_input": 8}
    torch.manual_seed(0)
    net = hf.Gemma4ForCausalLM(hf.Gemma4TextConfig(**sizes, **heads, **layers, vocab_size_per_layer_input=64)).eval()
    found = rerun_without_values(net, IDS, "self", [0, 2], cosine_distance)
    eager = eager_copy(net)
    for call, distances in zip((0, 2), found, strict=True):
        zeroed, output = without_each_token(eager.base_model, {**IDS, "use_cache": False}, call)
        expected = 1 - cosine_similarity(zeroed, output[None], -1)
        torch.testing.assert_close(distances, expected.T.clamp(min=0), atol=1e-5, rtol=0)
