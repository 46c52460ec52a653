"""A pass that shows its attention calls: of all layers, of the wanted ones, and no further than asked."""

from dataclasses import replace

import pytest
import torch
from tiny_models import tiny

from attnscope.errors import ModelError
from attnscope.models.attention.interface import AttentionCall
from attnscope.models.attention.layout import attention_layout
from attnscope.models.attention.watching import by_layer, watching
from attnscope.models.hooks import EarlyExit
from attnscope.models.leave_unchanged import unchanged

IDS = {"input_ids": torch.arange(3, 15)[None]}


@pytest.mark.parametrize("family", ["llama", "bloom"])
def test_the_wanted_layers_are_shown_and_the_pass_ends_after_the_last(family: str) -> None:
    net = tiny(family)
    layout = attention_layout(net, IDS)
    seen: list[int] = []
    ran: list[object] = []
    blocks = net.model.layers if family == "llama" else net.transformer.h

    def see(layer: int, _call: AttentionCall) -> None:
        seen.append(layer)

    with unchanged(net), torch.no_grad():
        for block in blocks:
            block.register_forward_pre_hook(lambda module, _args: ran.append(module))
        with watching(net, layout, by_layer(layout, "self", [0, 1], see)) as extra, pytest.raises(EarlyExit):
            net(**IDS, **extra)
        assert seen == [0, 1]
        assert ran == list(blocks)[:2]
        with watching(net, layout, by_layer(layout, "self", [2, 0], see, stop_early=False)) as extra:
            net(**IDS, **extra)
    assert seen == [0, 1, 0, 2]


@pytest.mark.parametrize("family", ["llama", "bloom"])
def test_a_pass_that_is_watched_gives_the_same(family: str) -> None:
    net = tiny(family)
    layout = attention_layout(net, IDS)
    with unchanged(net), torch.no_grad(), watching(net, layout, lambda _call: None) as extra:
        watched = net(**IDS, **extra).logits
    with torch.no_grad():
        torch.testing.assert_close(watched, net(**IDS).logits, atol=1e-4, rtol=1e-4)


def test_a_pass_that_calls_attention_otherwise_than_the_trial_did_is_refused() -> None:
    """As a model may that goes another way with long texts: its calls are not those of the layers that are known."""
    net = tiny("llama")
    layout = attention_layout(net, IDS)
    one, other, last = layout.modules
    for known in (replace(layout, modules=(other, one, last)), replace(layout, modules=(one, other))):
        watcher = by_layer(known, "self", [2], lambda _layer, _call: None)
        with (
            unchanged(net),
            torch.no_grad(),
            watching(net, known, watcher),
            pytest.raises(ModelError, match="LlamaAttention attends otherwise on this text"),
        ):
            net(**IDS)
