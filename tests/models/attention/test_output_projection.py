"""The projection after attention is found by what it is given; each head's matrix is read from what it computes."""

import pytest
import torch
from tiny_models import tiny
from torch import nn
from transformers.pytorch_utils import Conv1D

from attnscope.errors import ModelError
from attnscope.models.attention.output_projection import output_projections, per_head
from attnscope.models.model_facts import Projection

IDS = {"input_ids": torch.arange(3, 15)[None]}


@pytest.mark.parametrize(
    ("family", "name"),
    [("llama", "self_attn.o_proj"), ("gpt2", "attn.c_proj"), ("bloom", "self_attention.dense"), ("opt", "out_proj")],
)
def test_the_projection_of_every_layer(family: str, name: str) -> None:
    net = tiny(family)
    names = {module: name for name, module in net.named_modules()}
    projections = output_projections(net, IDS, "self")
    assert list(projections) == [0, 1, 2]
    for layer, projection in projections.items():
        assert names[projection.module].endswith(name)
        assert str(layer) in names[projection.module]
    assert output_projections(net, IDS, "self") is projections


@pytest.mark.parametrize("layer", [nn.Linear(8, 6), nn.Linear(8, 8, bias=False), Conv1D(6, 8)])
def test_each_heads_matrix(layer: nn.Module) -> None:
    x = torch.randn(5, 8)
    with torch.no_grad():
        expected = layer(x) - layer(torch.zeros(1, 8))
    by_head = torch.einsum("thd,hde->te", x.view(5, 2, 4), per_head(tiny("llama"), Projection(layer, x[:1]), 2))
    torch.testing.assert_close(by_head, expected, atol=1e-5, rtol=0)


def test_a_layer_that_is_not_linear_in_one_vector_is_refused() -> None:
    with pytest.raises(ModelError, match="Odd is not a linear map"):
        per_head(tiny("llama"), Projection(Odd(), torch.ones(1, 8)), 2)


class Odd(nn.Module):
    """Takes no single vector."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(8, 6))

    def forward(self, _x: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("two tensors, please")
