"""A layer run again without a token's value: against a layer whose values are set to zero by a hook."""

import pytest
import torch
from tiny_models import tiny
from torch import Tensor

from attnscope.methods.attention.value_zeroing import cosine_distance
from attnscope.models.attention import rerun_layers
from attnscope.models.attention.rerun_layers import rerun_without_values
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
