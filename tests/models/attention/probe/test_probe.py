"""Every way to read a model gives the model's own rows, and a model that no way fits is refused with the reason."""

from copy import deepcopy
from typing import Any

import pytest
import torch
import transformers as hf
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import GROUPED, SIZE, _sharpen, tiny

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.models.attention.capture import capture
from attnscope.models.attention.interface import AttentionCall, CallChange
from attnscope.models.attention.layout import attention_layout
from attnscope.models.model_facts import AttentionLayout, facts_of
from reference.textbook import eager_attention

IDS = {"input_ids": torch.randint(3, 64, (1, 21), generator=torch.Generator().manual_seed(0))}
EAGER = {"attn_implementation": "eager"}
_SMALL = {"vocab_size": 64, "d_model": 32, "n_layer": 3, "n_head": 4, "d_inner": 48}


def built(model: str, settings: dict[str, Any], sharp: float = 6.0, sinks: float = 0.0) -> hf.PreTrainedModel:
    torch.manual_seed(0)
    net_class = getattr(hf, model)
    net: hf.PreTrainedModel = net_class(net_class.config_class(**settings))
    _sharpen(net, sharp)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name.endswith("sinks"):
                parameter.fill_(sinks)
    net.eval()
    watch(net)
    return net


def rows(
    net: hf.PreTrainedModel, inputs: dict[str, torch.Tensor] = IDS, stack: str | None = None
) -> list[torch.Tensor]:
    found: dict[int, torch.Tensor] = {}

    def see(layer: int, call: AttentionCall) -> None:
        found[layer] = call.weights(torch.arange(call.queries))[0]

    layout = attention_layout(net, inputs, stack)
    capture(net, inputs, list(layout.heads_of(stack or next(iter(layout.calls))[0])), see, stack)
    return list(found.values())


OUTSIDE = {
    "a list for an output": ("OpenAIGPTLMHeadModel", {"vocab_size": 64, "n_embd": 32, "n_layer": 3, "n_head": 4}),
    "an einsum": ("XLNetLMHeadModel", _SMALL | {"d_head": 8, "attn_implementation": "eager"}),
    "another softmax": ("IBertModel", SIZE),
    "batch and head as one": (
        "XGLMForCausalLM",
        {"vocab_size": 64, "d_model": 32, "ffn_dim": 48, "num_layers": 3, "attention_heads": 4},
    ),
}


@pytest.mark.parametrize("way", OUTSIDE)
def test_outside_the_interface_the_softmax_and_its_product_are_found(way: str) -> None:
    net = built(*OUTSIDE[way])
    layout = attention_layout(net, IDS)
    assert layout.hooked
    assert layout.values
    for ours, theirs in zip(rows(net), eager_attention(net, IDS), strict=True):
        torch.testing.assert_close(ours, theirs[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("way", OUTSIDE)
def test_outside_the_interface_values_can_be_set_to_zero(way: str) -> None:
    """Without any value, nothing arrives from another token: the proof that these are the values that count."""
    net = built(*OUTSIDE[way])
    layout = attention_layout(net, IDS)
    products: list[torch.Tensor] = []

    def see(_layer: int, call: AttentionCall) -> CallChange:
        return CallChange(value=call.value * 0, on_output=lambda output: products.append(output) or output)

    capture(net, IDS, list(layout.heads_of("self")), see)
    assert len(products) == 2, "the last layer's product is never made"
    assert not any(product.any() for product in products)


def test_weights_are_read_where_a_model_reports_raw_scores() -> None:
    """SqueezeBERT and ProphetNet's encoder report what the softmax is taken of; softmax and product are modules."""
    net = built("SqueezeBertModel", SIZE | {"embedding_size": 32})
    reported = eager_attention(net, IDS)
    assert reported[0].min() < 0
    for ours, scores in zip(rows(net), reported, strict=True):
        torch.testing.assert_close(ours, scores[0].softmax(-1), rtol=0, atol=1e-6)


EAGER_ONLY: dict[str, tuple[str, dict[str, Any]]] = {
    # Reads both ways; SDPA would take it for causal.
    "splinter": ("SplinterModel", SIZE),
    "bigbird": ("BigBirdModel", SIZE | {"attention_type": "original_full"}),
}


@pytest.mark.parametrize("name", EAGER_ONLY)
def test_a_model_that_has_no_attention_but_eager_is_read_as_it_forms_its_matrices(name: str) -> None:
    net = built(*EAGER_ONLY[name])
    for ours, theirs in zip(rows(net), eager_attention(net, IDS), strict=True):
        torch.testing.assert_close(ours, theirs[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_which_way_a_model_goes_does_not_hang_on_its_precision(dtype: torch.dtype) -> None:
    """In half precision outputs are not compared with other kernels: the rows tell that SDPA is not the way."""
    net = built("SplinterModel", SIZE).to(dtype)
    watch(net)
    assert attention_layout(net, IDS).implementation == "eager"
    for ours, theirs in zip(rows(net), eager_attention(net, IDS), strict=True):
        torch.testing.assert_close(ours, theirs[0].float(), rtol=0, atol=1e-6)


def test_a_sink_beside_the_softmax_takes_its_share() -> None:
    """Granite SWA scales each row's output by what the sink leaves; the weights that it reports leave the sink out."""
    settings = GROUPED | {"sliding_window": 5, "attn_implementation": "eager"}
    with_sinks, without = (rows(built("GraniteSWAForCausalLM", settings, sinks=sinks))[0] for sinks in (2.0, -1e4))
    torch.testing.assert_close(without.sum(-1), torch.ones(4, 21))
    assert float(with_sinks.sum(-1).max()) < 1
    torch.testing.assert_close(with_sinks / with_sinks.sum(-1, keepdim=True), without)


def test_of_two_calls_in_a_layer_one_is_read_and_values_are_refused() -> None:
    net = built("DiffLlamaForCausalLM", GROUPED, 3.0)
    for ours, theirs in zip(rows(net), eager_attention(net, IDS), strict=True):
        torch.testing.assert_close(ours, theirs[0], rtol=0, atol=1e-5)
    assert not attention_layout(net, IDS).values
    model = ats.Model(net, copy_tokenizer())
    for method in ("value_norm", "value_zeroing", "attention_gradient"):
        with pytest.raises(ModelError, match=r"DiffLlamaForCausalLM .*values"):
            ats.explain(model, "abcab", method=method, query=-1)


def test_layers_that_attend_to_no_tokens_keep_their_numbers_and_are_not_read() -> None:
    kinds = ["linear_attention", "full_attention"] * 2
    net = built("MiniMaxForCausalLM", GROUPED | {"num_hidden_layers": 4, "layer_types": kinds, "num_local_experts": 2})
    layout = attention_layout(net, IDS)
    assert list(layout.heads_of("self")) == [1, 3]
    theirs = [weights for weights in eager_attention(net, IDS) if weights.shape[-1] == 21]
    for ours, own in zip(rows(net), theirs, strict=True):
        torch.testing.assert_close(ours, own[0], rtol=0, atol=1e-5)


def test_a_mask_of_one_row_is_every_querys_mask() -> None:
    net = built("LayoutLMModel", SIZE | {"max_2d_position_embeddings": 8})
    inputs = {**IDS, "attention_mask": torch.ones_like(IDS["input_ids"])}
    for ours, theirs in zip(rows(net, inputs), eager_attention(net, inputs), strict=True):
        torch.testing.assert_close(ours, theirs[0], rtol=0, atol=1e-6)


def test_a_model_that_returns_tuples_is_read_too() -> None:
    net = built("DPRQuestionEncoder", SIZE | {"attn_implementation": "sdpa"})
    bert = net.question_encoder.bert_model
    for ours, theirs in zip(rows(net), eager_attention(bert, IDS), strict=True):
        torch.testing.assert_close(ours, theirs[0], rtol=0, atol=1e-5)


def test_configurations_that_a_model_makes_as_it_runs_are_those_of_its_layers() -> None:
    """NeoMME's masks ask a copy of its configuration for the name of its attention."""
    kinds = {"layer_types": ["sliding_attention", "full_attention", "sliding_attention"], "sliding_window": 4}
    net = built("NeoMMEForMaskedLM", SIZE | {"head_dim": 16, "num_key_value_heads": 2} | kinds)
    assert net.config.is_heterogeneous
    for ours, theirs in zip(rows(net), eager_attention(net, IDS), strict=True):
        torch.testing.assert_close(ours, theirs[0], rtol=0, atol=1e-5)
    assert "_attention_is_named" not in vars(net.config)


def test_an_error_of_the_models_own_names_it() -> None:
    net = built("BrosModel", SIZE)
    with pytest.raises(ModelError, match=r"BrosModel does not run on a text alone \(.*bbox.*\): .* load the part"):
        attention_layout(net, IDS)


def test_attention_in_blocks_is_refused_by_its_shape() -> None:
    net = built("LongformerModel", SIZE | {"attention_window": 8})
    with pytest.raises(
        ModelError, match=r"LongformerModel reports attention of shape \(1, 4, 16, 9\).* gradient method"
    ):
        attention_layout(net, IDS)


def test_eager_attention_that_is_not_what_the_model_does_is_refused() -> None:
    """Falcon adds its biases twice in eager attention."""
    net = tiny("falcon_alibi")
    net.config._attn_implementation = "sdpa"
    with pytest.raises(ModelError, match=r'FalconForCausalLM .* as it came.* attn_implementation="eager"'):
        attention_layout(net, IDS)
    net.config._attn_implementation = "eager"
    assert len(attention_layout(net, IDS).calls) == 3


def test_sharp_scores_in_single_precision_are_not_refused_by_chance() -> None:
    """Queries and keys of some thousands: one weight is 1, and which one hangs on the last digit."""
    net = tiny("bert", 60.0)
    for seed in range(5):
        facts_of(net).layouts.clear()
        ids = torch.randint(3, 64, (1, 8), generator=torch.Generator().manual_seed(seed))
        assert len(attention_layout(net, {"input_ids": ids}).calls) == 3


def test_a_window_that_the_trial_does_not_reach_is_compared_once_a_text_is_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A model that came with eager attention, whose windows are its own and not SDPA's."""
    net = built("MistralForCausalLM", GROUPED | {"sliding_window": 520, "max_position_embeddings": 600} | EAGER)
    modeling = hf.models.mistral.modeling_mistral
    honest = modeling.eager_attention_forward

    def first_hidden(module: Any, query: Any, key: Any, value: Any, mask: Any, **kwargs: Any) -> Any:
        if key.shape[2] > 520:
            mask = mask.clone()
            mask[..., -1, :300] = torch.finfo(mask.dtype).min
        return honest(module, query, key, value, mask, **kwargs)

    monkeypatch.setattr(modeling, "eager_attention_forward", first_hidden)
    ids = torch.randint(3, 64, (1, 560), generator=torch.Generator().manual_seed(0))
    assert len(attention_layout(net, {"input_ids": ids[:, :40]}).calls) == 3
    with pytest.raises(ModelError, match=r"MistralForCausalLM computes something else"):
        attention_layout(net, {"input_ids": ids})
    monkeypatch.undo()
    assert len(attention_layout(net, {"input_ids": ids}).calls) == 3


def test_a_layout_is_learnt_anew_where_a_part_was_exchanged() -> None:
    net = tiny("llama")
    before = attention_layout(net, IDS)
    net.model.layers[1] = deepcopy(net.model.layers[1])
    after = attention_layout(net, IDS)
    assert before is not after
    assert after.modules[1] is net.model.layers[1].self_attn
    assert isinstance(after, AttentionLayout)
    watch(net)
