"""Which layers are linear attention, and what is refused of them."""

import sys
from typing import Any

import pytest
import torch
from captured import passes_counted
from tiny_models import ENCODER_DECODER, LINEAR, hybrid, linear, tiny

from attnscope.errors import ModelError
from attnscope.models.linear_attention.call import LinearCall
from attnscope.models.linear_attention.capture import capture_linear, linear_layers

IDS = {"input_ids": torch.arange(3, 30)[None]}


@pytest.mark.parametrize("family", LINEAR)
def test_layers_have_the_models_own_numbers(family: str) -> None:
    _, _, _, layers, heads = LINEAR[family]
    found = linear_layers(linear(family), IDS)
    assert list(found) == layers
    assert {layer.heads for layer in found.values()} == {heads}
    assert not any(layer.refusal for layer in found.values())


@pytest.mark.parametrize("net", [tiny("llama"), tiny(next(iter(ENCODER_DECODER))), hybrid("lfm2"), hybrid("jamba")])
def test_others_have_none(net: Any) -> None:
    """A short convolution mixes tokens by channel, and Mamba 1 decays by channel: neither has a matrix of a head."""
    assert linear_layers(net, IDS) == {}


def test_the_pass_ends_after_the_last_layer() -> None:
    net = linear("qwen3_next")
    later: list[object] = []
    net.model.layers[3].register_forward_pre_hook(lambda *_: later.append(1))
    linear_layers(net, IDS)  # what is tried once a model is tried
    later.clear()
    seen: list[int] = []
    with passes_counted(net) as passes:
        capture_linear(net, IDS, [0, 2], lambda layer, _call: seen.append(layer))
    assert (seen, passes, later) == ([0, 2], [(1, 27)], [])
    net.model.layers[3]._forward_pre_hooks.clear()


def test_a_layer_that_does_something_else_is_refused_and_the_others_are_not(monkeypatch: Any) -> None:
    net = linear("qwen3_next")
    file = sys.modules[type(net).__module__]
    original, calls = file.torch_chunk_gated_delta_rule, []

    def changed(query: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(query)
        output, state = original(query, *args, **kwargs)
        return (output.roll(1, 1) if len(calls) % 6 == 2 else output), state

    monkeypatch.setattr(file, "torch_chunk_gated_delta_rule", changed)
    found = linear_layers(net, IDS)
    assert [layer for layer, of in found.items() if of.refusal] == [1]
    with pytest.raises(ModelError, match="layer 1: Qwen3NextGatedDeltaNet does not return what its unrolled matrix"):
        capture_linear(net, IDS, [1], lambda _layer, call: call.weights(torch.arange(3)))


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("family", ["qwen3_next", "mamba2", "minimax", "kimi_linear"])
def test_padding_is_no_part_of_a_text(family: str, side: str) -> None:
    net, layer = linear(family, sharp=2.0), LINEAR[family][3][-1]
    short, long = torch.arange(3, 20), torch.arange(20, 45)
    pad = torch.zeros(8, dtype=torch.long)
    padded = torch.cat([short, pad] if side == "right" else [pad, short])
    mask = torch.cat([torch.ones(17), pad] if side == "right" else [pad, torch.ones(17)]).long()
    both = {"input_ids": torch.stack([long, padded]), "attention_mask": torch.stack([torch.ones(25).long(), mask])}
    kept: dict[str, LinearCall] = {}
    capture_linear(net, both, [layer], lambda _layer, call: kept.update(beside=call))
    capture_linear(net, {"input_ids": short[None]}, [layer], lambda _layer, call: kept.update(alone=call))
    rows = kept["beside"].weights(torch.arange(25))[1:]
    rows = rows[..., :17, :17] if side == "right" else rows[..., 8:, 8:]
    alone = kept["alone"].weights(torch.arange(17))
    torch.testing.assert_close(rows, alone, rtol=1e-3, atol=1e-4 * float(alone.abs().max()))
    assert kept["beside"].missed < 1e-4
