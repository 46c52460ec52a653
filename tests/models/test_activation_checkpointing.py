"""What is saved for the backward pass: less of it, the same gradients to the last bit, never a wrong one."""

import gc
from collections.abc import Callable

import numpy as np
import pytest
import torch
import transformers as hf
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import FAMILIES, GROUPED, tiny
from torch import Tensor, nn

import attnscope as ats
from attnscope.models import activation_checkpointing
from attnscope.models.activation_checkpointing import FEWEST, activations_bounded, recomputed, tokens_at_once, widths
from attnscope.models.gradients import attention_gradients
from attnscope.models.gradients.input_gradients import gradients
from attnscope.models.inputs.encode import encode
from attnscope.models.targets.resolve import Target, resolve


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of every tensor that autograd wants to save: whether it is recomputed instead."""
    monkeypatch.setattr(activation_checkpointing, "LARGE", 0)
    seen: list[bool] = []
    pack = activation_checkpointing._Recomputable.pack

    def spy(recomputable: activation_checkpointing._Recomputable, tensor: Tensor) -> activation_checkpointing._Saved:
        found = pack(recomputable, tensor)
        seen.append(found.function is not None)
        return found

    monkeypatch.setattr(activation_checkpointing._Recomputable, "pack", spy)
    return seen


def gradient_of(net: nn.Module, inputs: dict[str, Tensor], at: Tensor) -> Tensor:
    out = net(inputs_embeds=at, attention_mask=inputs["attention_mask"])
    out = out.logits if "logits" in out else out.last_hidden_state
    return torch.autograd.grad(out.pow(2).sum(), at)[0]


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in ("t5", "bart")])
def test_the_same_to_the_last_bit(family: str, packed: list[bool]) -> None:
    net = tiny(family).requires_grad_(False)
    watch(net)
    ids = torch.arange(3, 40)[None]
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    at = net.get_input_embeddings()(ids).detach().requires_grad_()
    expected = gradient_of(net, inputs, at)
    with activations_bounded(net, inputs):
        found = gradient_of(net, inputs, at)
    assert torch.equal(found, expected)
    assert packed


@pytest.mark.parametrize("per_token", [False, True])
def test_a_gated_layer_with_shared_keys_recomputes_three(
    smollm2: ats.Model, packed: list[bool], per_token: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate's activation, the keys and the values, of each of 30 layers; also where backward passes are batched."""
    encoded = encode(smollm2.tokenizer, "The castle on the hill was old")
    objective = resolve(smollm2, encoded, Target(" and cold", per_token=per_token))
    ((_, found),) = gradients(smollm2.model, objective.readouts)
    assert sum(packed) == 90
    monkeypatch.setattr(activation_checkpointing, "LARGE", 2**60)
    ((_, expected),) = gradients(smollm2.model, objective.readouts)
    assert len(found.vectors) == (2 if per_token else 1)
    assert torch.allclose(found.vectors, expected.vectors, rtol=0, atol=1e-6 * float(expected.vectors.abs().max()))


class Layer(nn.Module):
    """One activation function, and something that is done with what it gives before autograd keeps it."""

    def __init__(self, act: nn.Module, then: str) -> None:
        super().__init__()
        self.act, self.then = act, then

    def forward(self, x: Tensor) -> Tensor:
        source = x * 1.5
        made = self.act(source)
        if self.then == "in place":
            made = made.mul_(0.5)
        if self.then == "another in its place":
            del made
            made = torch.full_like(x, 2.0)
        if self.then == "view":
            return (made.view(-1) * x.view(-1)).view_as(x) * x
        return made * x


@pytest.mark.parametrize("then", ["nothing", "in place", "view", "another in its place"])
@pytest.mark.parametrize("act", [nn.SiLU(), nn.ReLU(), nn.ReLU(inplace=True), nn.LeakyReLU(inplace=True), nn.Tanh()])
def test_whatever_is_done_with_an_activation(act: nn.Module, then: str, packed: list[bool]) -> None:
    net = tiny("llama")
    net.layer = Layer(act, then)
    watch(net)
    x = torch.linspace(-3, 3, 1000, requires_grad=True)
    expected = torch.autograd.grad(net.layer(x).sum(), x)[0] if not _refused(net.layer, x) else None
    with activations_bounded(net, {"input_ids": torch.zeros(1, 8)}):
        if expected is None:
            with pytest.raises(RuntimeError, match="changed in place"):
                torch.autograd.grad(net.layer(x).sum(), x)
        else:
            assert torch.equal(torch.autograd.grad(net.layer(x).sum(), x)[0], expected)
    assert packed


def _refused(layer: nn.Module, x: Tensor) -> bool:
    """Whether autograd itself refuses: what it saved was changed in place."""
    try:
        torch.autograd.grad(layer(x).sum(), x)
    except RuntimeError:
        return True
    return False


def test_a_source_that_was_changed_is_an_error(packed: list[bool]) -> None:
    net = tiny("llama")
    x = torch.linspace(-3, 3, 1000, requires_grad=True)
    with activations_bounded(net, {"input_ids": torch.zeros(1, 8)}):
        source = x * 1.0
        out = source.pow(2) + recomputed(lambda t: t + 1, source) * x
        with torch.no_grad():
            source.mul_(2)
        with pytest.raises(RuntimeError, match="changed in place"):
            out.sum().backward()
    assert any(packed)


def test_what_a_hook_makes_of_an_activation_is_its_own(packed: list[bool]) -> None:
    """Ablated or scaled neurons: the gradient goes through what the hook gave."""
    net = tiny("llama").requires_grad_(False)
    watch(net)
    ids = torch.arange(3, 40)[None]
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    at = net.get_input_embeddings()(ids).detach().requires_grad_()
    whole = gradient_of(net, inputs, at)
    net.model.layers[0].mlp.act_fn.register_forward_hook(lambda _module, _args, output: output * 0.25)
    watch(net)
    expected = gradient_of(net, inputs, at)
    with activations_bounded(net, inputs):
        assert torch.equal(gradient_of(net, inputs, at), expected)
    assert not torch.equal(expected, whole)
    assert any(packed)


def test_an_activation_that_saves_its_result_is_saved_alone(packed: list[bool]) -> None:
    """Recomputed, its input would be saved as well."""
    net = tiny("llama").requires_grad_(False)
    watch(net)
    for layer in net.model.layers:
        layer.mlp.act_fn = nn.ReLU()
    net.config.num_key_value_heads = net.config.num_attention_heads  # no key heads to be repeated
    watch(net)
    at = torch.randn(1, 9, net.config.hidden_size, requires_grad=True)
    with activations_bounded(net, {"input_ids": torch.zeros(1, 9)}):
        net(inputs_embeds=at)
    assert packed
    assert not any(packed)


def test_a_run_that_breaks_off_leaves_nothing_in_memory(packed: list[bool]) -> None:
    net = tiny("llama").requires_grad_(False)
    watch(net)
    at = torch.randn(1, 9, net.config.hidden_size, requires_grad=True)
    gc.collect()
    gc.disable()
    try:
        with activations_bounded(net, {"input_ids": torch.zeros(1, 9)}):
            out = net(inputs_embeds=at, use_cache=False).logits.softmax(-1).exp()
            assert any(type(held) is activation_checkpointing._Saved for held in gc.get_objects())
        del out
        assert not any(type(held) is activation_checkpointing._Saved for held in gc.get_objects())
    finally:
        gc.enable()
    assert packed


def test_nothing_stays_behind() -> None:
    net = tiny("llama")
    with activations_bounded(net, {"input_ids": torch.zeros(1, 2**20)}):
        assert activation_checkpointing._recomputable.get() is not None
        assert all("forward" in vars(layer.mlp.act_fn) and layer._forward_hooks for layer in net.model.layers)
    assert activation_checkpointing._recomputable.get() is None
    x = torch.ones(3, requires_grad=True)
    assert torch.equal(recomputed(torch.exp, x), x.exp())
    assert not any(module._forward_hooks or "forward" in vars(module) for module in net.modules())


def llava() -> hf.PreTrainedModel:
    vision = hf.CLIPVisionConfig(
        hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=4, image_size=28, patch_size=14
    )
    return hf.LlavaForConditionalGeneration(
        hf.LlavaConfig(text_config=hf.LlamaConfig(**GROUPED), vision_config=vision, image_token_index=63)
    )


def granite() -> hf.PreTrainedModel:
    return hf.GraniteMoeForCausalLM(hf.GraniteMoeConfig(**GROUPED, num_local_experts=2, num_experts_per_tok=1))


def switch() -> hf.PreTrainedModel:
    sizes = {"vocab_size": 64, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_decoder_layers": 2}
    return hf.SwitchTransformersForConditionalGeneration(
        hf.SwitchTransformersConfig(**sizes, num_heads=4, num_experts=2, decoder_start_token_id=0)
    )


@pytest.mark.parametrize(
    ("make", "method"), [(llava, "attention_gradient"), (granite, "attention_gradient"), (switch, "gradient")]
)
def test_a_layer_that_is_run_again_fills_no_cache(
    make: Callable[[], hf.PreTrainedModel], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model = ats.Model(make().eval(), copy_tokenizer())
    watch(model.model)
    expected = ats.explain(model, "a c e g b d", method=method, target="f").token_scores
    for module in (activation_checkpointing, attention_gradients):
        monkeypatch.setattr(module, "SAVED_BYTES", 0)
    found = ats.explain(model, "a c e g b d", method=method, target="f").token_scores
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_value_zeroing_of_a_vision_language_model_is_that_of_its_language_model() -> None:
    torch.manual_seed(0)
    whole = llava().eval()
    alone = hf.LlamaForCausalLM(whole.config.text_config).eval()
    alone.model.load_state_dict(whole.model.language_model.state_dict())
    expected, found = (
        ats.explain(ats.Model(net, copy_tokenizer()), "a c e g b", method="value_zeroing", query=-1).token_scores
        for net in (alone, whole)
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_batches_of_texts_are_small_enough_to_save_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    net = tiny("llama")
    assert tokens_at_once(net, 4096) == 4096, "a narrow model"
    per_token = widths(net).saved * 4
    monkeypatch.setattr(activation_checkpointing, "LARGE", 300 * per_token)
    tokens = tokens_at_once(net, 4096)
    assert tokens == 299
    with activations_bounded(net, {"input_ids": torch.zeros(1, tokens)}):
        assert activation_checkpointing._recomputable.get() is None, "nothing is computed twice"
    monkeypatch.setattr(activation_checkpointing, "LARGE", per_token)
    assert tokens_at_once(net, 4096) == FEWEST
