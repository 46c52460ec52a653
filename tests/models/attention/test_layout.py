"""Which call is which layer and stack, and models that are refused."""

from copy import deepcopy
from typing import Any

import pytest
import torch
import transformers as hf
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import tiny

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.models.attention.capture import capture
from attnscope.models.attention.interface import AttentionCall, SDPACall
from attnscope.models.attention.layout import attention_layout, body_of, checked_stack
from attnscope.models.model_facts import facts_of

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
    assert both.heads_of("cross") == {0: 4, 1: 4, 2: 4}
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


@pytest.mark.parametrize("tokens", [4, 20])
def test_a_difference_beyond_the_window_is_seen(tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial is longer than the window, though the text may be shorter."""
    net = tiny("mistral")
    net.config.sliding_window = 12
    modeling = hf.models.mistral.modeling_mistral
    honest = modeling.eager_attention_forward

    def without_window(module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **kwargs: Any) -> Any:
        causal = torch.full_like(attention_mask, torch.finfo(torch.float32).min).triu(1)
        return honest(module, query, key, value, causal, **kwargs)

    monkeypatch.setattr(modeling, "eager_attention_forward", without_window)
    with pytest.raises(ModelError, match=r"MistralForCausalLM .* layer 0 differs"):
        attention_layout(net, {"input_ids": torch.arange(3, 3 + tokens)[None]})
    net.config.sliding_window = 5
    monkeypatch.undo()
    assert len(attention_layout(net, IDS).calls) == 3


def test_an_output_that_is_not_the_models_own_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a model does something else while it is watched, rows that agree with eager ones are no comfort."""
    net = tiny("llama")
    mlp = net.model.layers[2].mlp
    own = mlp.forward
    passes: list[None] = []

    def watched_otherwise(x: torch.Tensor) -> torch.Tensor:
        passes.append(None)  # as it came, eager, watched; and twice as it came, to see whether it repeats
        return own(x) * (2 if len(passes) == 3 else 1)

    def drifting(x: torch.Tensor) -> torch.Tensor:
        passes.append(None)
        return own(x) * (1 + len(passes))

    monkeypatch.setattr(mlp, "forward", watched_otherwise)
    with pytest.raises(ModelError, match=r"LlamaForCausalLM computes something else .* than as it came"):
        attention_layout(net, IDS)
    monkeypatch.setattr(mlp, "forward", drifting)
    with pytest.raises(ModelError, match=r"LlamaForCausalLM gives other numbers for the same text each time"):
        attention_layout(net, IDS)


def test_raw_scores_are_not_taken_for_attention() -> None:
    config = hf.ProphetNetConfig(
        vocab_size=64, hidden_size=32, encoder_ffn_dim=48, decoder_ffn_dim=48, num_encoder_layers=2,
        num_decoder_layers=2, num_encoder_attention_heads=4, num_decoder_attention_heads=4, max_position_embeddings=96,
        decoder_start_token_id=0,
    )  # fmt: skip
    torch.manual_seed(0)
    net = hf.ProphetNetForConditionalGeneration(config).eval()
    shown: list[torch.Tensor] = []
    capture(net, IDS, [0], lambda _layer, call: shown.append(call.weights(torch.arange(20))))
    with torch.no_grad():
        reported = net.get_encoder()(**IDS, output_attentions=True).attentions[0]
    assert reported.min() < 0
    torch.testing.assert_close(shown[0], reported.softmax(-1))


def sharp_llama(dtype: torch.dtype) -> hf.PreTrainedModel:
    """Scores of some ten, as trained models have them: rounding moves rows by tenths from pass to pass."""
    net = tiny("llama")
    with torch.no_grad():
        for layer in net.model.layers:
            layer.self_attn.q_proj.weight.mul_(4)
    net.to(dtype)
    watch(net)
    return net


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_not_refused_by_chance(dtype: torch.dtype) -> None:
    net = sharp_llama(dtype)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        ids = torch.randint(3, 64, (1, 8), generator=generator)
        facts_of(net).layouts.clear()
        attention_layout(net, {"input_ids": ids})
        errors: list[float] = []

        def see(_layer: int, call: AttentionCall, errors: list[float] = errors) -> None:
            assert isinstance(call, SDPACall)
            scores = call.query.double() @ call.key.double().repeat_interleave(2, 1).transpose(-1, -2) * call.scaling
            hidden = torch.ones(8, 8, dtype=torch.bool).triu(1)
            exact = scores.masked_fill(hidden, -torch.inf).softmax(-1)
            errors.append((call.weights(torch.arange(8)) - exact).abs().max().item())

        capture(net, {"input_ids": ids}, range(3), see)
        assert len(errors) == 3
        assert max(errors) < torch.finfo(dtype).eps / 8


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("change", ["temperature", "window", "no scale"])
def test_another_attention_is_refused_in_half_precision(
    dtype: torch.dtype, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = sharp_llama(dtype)
    modeling = hf.models.llama.modeling_llama
    honest = modeling.eager_attention_forward

    def other(module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: float, **kwargs: Any) -> Any:
        if change == "window":
            mask = mask + torch.full_like(mask, torch.finfo(dtype).min / 2).tril(-4)
        scaling *= {"temperature": 1.2, "window": 1, "no scale": 2}[change]
        return honest(module, query, key, value, mask, scaling, **kwargs)

    monkeypatch.setattr(modeling, "eager_attention_forward", other)
    with pytest.raises(ModelError, match=r"LlamaForCausalLM .* layer 0 differs"):
        attention_layout(net, IDS)


def test_a_text_too_short_for_blocks_is_refused_by_name() -> None:
    """BigBird reads it with full attention; a longer one that is no whole number of blocks is padded, and cut again."""
    settings = {"attention_type": "block_sparse", "block_size": 4, "num_random_blocks": 1}
    sizes = {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(0)
    net = hf.BigBirdForMaskedLM(hf.BigBirdConfig(**sizes, **settings, intermediate_size=48, initializer_range=0.5))
    watch(net.eval())
    model = ats.Model(net, copy_tokenizer())
    for method in ("attention", "rollout", "value_norm", "attention_gradient"):
        with pytest.raises(ModelError, match=r"28 tokens or fewer .* set_attention_type\(\"original_full\"\)"):
            ats.explain(model, "a b c d", method=method)
    text = "a b c d e f " * 5 + "a"
    assert ats.explain(model, text, method="rollout", query=-1).scores.sum() == pytest.approx(1, abs=1e-4)
    with pytest.raises(ModelError, match="no gradient arrives at them"):
        ats.explain(model, text, method="attention_gradient")
    full = ats.Model(deepcopy(net), copy_tokenizer())
    full.model.bert.set_attention_type("original_full")
    assert ats.attention(full, "a b c d", layer=0, query=-1).scores.sum() == pytest.approx(1, abs=1e-4)
