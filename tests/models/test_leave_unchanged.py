"""Whatever is done to a model inside `unchanged` is undone, also after an error."""

import threading

import pytest
import torch
import transformers as hf
from snapshot import ModelSnapshot, watch
from tiny_models import SIZE, tiny

from attnscope.models.leave_unchanged import unchanged


def meddle(net: hf.PreTrainedModel) -> None:
    net.set_attn_implementation("eager")
    net.train()
    next(net.parameters()).requires_grad_(True)
    for module in list(net.modules())[:5]:
        module.register_forward_hook(lambda *_: None)
        module.register_forward_hook(lambda *_, **__: None, with_kwargs=True, always_call=True)
        module.register_forward_pre_hook(lambda *_: None, with_kwargs=True)


def _interrupted(net: hf.PreTrainedModel) -> None:
    with unchanged(net):
        meddle(net)
        raise KeyboardInterrupt


@pytest.mark.parametrize("family", ["llama", "bert", "t5", "gpt2"])
def test_all_of_it_comes_back(family: str) -> None:
    net = tiny(family)
    list(net.modules())[3].train()
    list(net.parameters())[2].requires_grad_(False)
    own = net.register_forward_hook(lambda *_: None)
    watch(net)
    before = ModelSnapshot.of(net)
    with unchanged(net):
        assert not any(module.training for module in net.modules())
        assert not any(parameter.requires_grad for parameter in net.parameters())
        meddle(net)
    assert ModelSnapshot.of(net) == before
    with pytest.raises(KeyboardInterrupt):
        _interrupted(net)
    assert ModelSnapshot.of(net) == before
    assert own.id in net._forward_hooks


def test_the_parts_of_a_model_may_have_implementations_of_their_own() -> None:
    vision = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = hf.CLIPConfig(
        text_config={**SIZE, "attn_implementation": "eager"}, vision_config={**vision, "image_size": 8, "patch_size": 4}
    )
    net = hf.CLIPModel(config).eval()
    net.set_attn_implementation({"text_config": "eager", "vision_config": "sdpa"})
    watch(net)
    with unchanged(net):
        net.set_attn_implementation("eager")
        assert net.config.vision_config._attn_implementation == "eager"
    assert net.config.text_config._attn_implementation == "eager"
    assert net.config.vision_config._attn_implementation == "sdpa"


def test_one_thread_at_a_time_and_the_same_thread_again() -> None:
    net = tiny("llama")
    entered = threading.Event()

    def enter() -> None:
        with unchanged(net):
            entered.set()

    thread = threading.Thread(target=enter)
    with unchanged(net), unchanged(net):
        thread.start()
        assert not entered.wait(0.05)
    thread.join()
    assert entered.is_set()


def test_what_a_forward_pass_changes_about_the_model_comes_back() -> None:
    """BigBird exchanges its block-sparse attention for a full one, for good, when it reads a short text."""
    settings = {"attention_type": "block_sparse", "block_size": 4, "num_random_blocks": 1}
    net = hf.BigBirdForMaskedLM(hf.BigBirdConfig(**SIZE, **settings)).eval()
    watch(net)
    attention = net.bert.encoder.layer[0].attention.self
    with unchanged(net), torch.no_grad():
        net(torch.arange(3, 11)[None])
        assert net.bert.attention_type == "original_full"
        assert net.bert.encoder.layer[0].attention.self is not attention
    assert net.bert.attention_type == net.bert.encoder.layer[0].attention.attention_type == "block_sparse"
    assert net.bert.encoder.layer[0].attention.self is attention
