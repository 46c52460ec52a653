"""The gradient at every head's output: against autograd on a copy with its own eager attention."""

import pytest
import torch
from tiny_models import hybrid, tiny

from attnscope.models.intervention.head_gradients import gradients_at_heads
from attnscope.models.intervention.knock_out import Site
from attnscope.models.intervention.passes import Passes
from attnscope.models.targets.readout import Readout
from reference.knocked_out import gradient_at_projection

IDS = [3, 14, 7, 22, 9, 30]


@pytest.mark.parametrize(
    ("family", "stack"),
    [
        *((name, "self") for name in ("llama", "gemma2", "bloom", "qwen3_next", "bert")),
        *(("t5", "encoder"), ("t5", "decoder"), ("bart", "cross")),
    ],
)
def test_it_is_what_autograd_gives_by_hand(family: str, stack: str) -> None:
    net = hybrid(family) if family == "qwen3_next" else tiny(family, 3.0)
    decoder = (0, 8, 13) if stack != "self" else ()
    readout = Readout({"input_ids": IDS}, (2, 1), (17, 5), (1, 1), "log_probability", decoder=decoder)
    inputs = {"input_ids": torch.tensor([IDS])} | ({"decoder_input_ids": torch.tensor([decoder])} if decoder else {})
    passes = Passes(Site.of(net, inputs, stack), readout)
    assert passes.site.layout is not None
    layers = list(passes.site.layout.heads_of(stack))
    gradients = gradients_at_heads(passes, layers)
    assert list(gradients) == layers
    name = family if stack == "self" else f"{family} {stack}"
    for layer in layers:
        expected = gradient_at_projection(net, name, layer, inputs, readout.positions, readout.ids)
        found = gradients[layer].flatten(1)
        torch.testing.assert_close(found, expected, atol=1e-3 * float(expected.abs().max()) + 1e-9, rtol=1e-2)
        assert expected.any()
        assert passes.pools[layer].flatten(1).shape == expected.shape
