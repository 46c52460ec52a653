"""The projection after attention is found by what it is given; each head's matrix is read from what it computes."""

from collections.abc import Callable

import pytest
import torch
import transformers as hf
from snapshot import watch
from tiny_models import GROUPED, hybrid, tiny
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from attnscope.errors import ModelError
from attnscope.models.attention.output_projection import gate_of, output_projections, per_head
from attnscope.models.model_facts import Projection

IDS = {"input_ids": torch.arange(3, 15)[None]}
NO_PROJECTION = "no projection takes the output of the attention of layer"


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
        assert not projection.gated
        assert gate_of(net, IDS, "self", layer) is None
    assert output_projections(net, IDS, "self") is projections


@pytest.mark.parametrize("layer", [nn.Linear(8, 6), nn.Linear(8, 8, bias=False), Conv1D(6, 8)])
def test_each_heads_matrix(layer: nn.Module) -> None:
    x = torch.randn(5, 8)
    with torch.no_grad():
        expected = layer(x) - layer(torch.zeros(1, 8))
    by_head = torch.einsum("thd,hde->te", x.view(5, 2, 4), per_head(tiny("gpt2"), Projection(layer, x[:1]), 2))
    torch.testing.assert_close(by_head, expected, atol=1e-5, rtol=0)


def test_a_layer_that_is_not_linear_in_one_vector_is_refused() -> None:
    with pytest.raises(ModelError, match="Odd is not a linear map"):
        per_head(tiny("gpt2"), Projection(Odd(), torch.ones(1, 8)), 2)


def test_the_gate_of_qwen3_next() -> None:
    net = hybrid("qwen3_next", 3.0)
    projections = output_projections(net, IDS, "self")
    assert {layer: projection.gated for layer, projection in projections.items()} == {3: True, 7: True}
    for layer, projection in projections.items():
        attention = net.model.layers[layer].self_attn
        assert projection.module is attention.o_proj
        made: list[Tensor] = []
        handle = attention.q_proj.register_forward_hook(lambda _m, _a, output, made=made: made.append(output[0]))
        with torch.no_grad():
            net(**IDS)
        handle.remove()
        expected = made[0].unflatten(-1, (4, 16))[..., 8:].sigmoid().flatten(1)
        torch.testing.assert_close(gate_of(net, IDS, "self", layer), expected, atol=1e-6, rtol=1e-5)


def _by_position(x: Tensor) -> Tensor:
    return torch.linspace(0.1, 2, x.shape[1])[:, None]


@pytest.mark.parametrize(
    "before",
    [
        lambda x: x * _by_position(x),
        lambda x: x * _by_position(x).sub(1).relu(),  # a gate may be shut, for some queries
        lambda x: (x.unflatten(-1, (4, 8)) * torch.tensor([0.5, -1, 0, 2])[:, None]).flatten(-2),  # and for a head
        lambda x: x * torch.linspace(-1, 1, x.shape[-1]),
    ],
)
def test_what_multiplies_by_numbers_of_its_own_is_a_gate(before: Callable[[Tensor], Tensor]) -> None:
    net = with_something_before(before)
    assert all(projection.gated for projection in output_projections(net, IDS, "self").values())
    torch.testing.assert_close(gate_of(net, IDS, "self", 1), before(torch.ones(1, 12, 32))[0])


@pytest.mark.parametrize(
    "before",
    [
        lambda x: x / x.norm(dim=-1, keepdim=True),
        lambda x: nn.functional.rms_norm(x.unflatten(-1, (4, 8)), (8,)).flatten(-2),
        lambda x: x * x.sigmoid(),
        lambda x: x.relu(),
        lambda x: x + 0.01,
        lambda x: x.flip(-1),
        lambda x: x - 0.05 * x.mean(1, keepdim=True),
        lambda x: x * 0,
        lambda x: (x / 2).clamp(-0.9, 0.9),  # of outputs as small as the first layer's it halves all
    ],
)
def test_what_does_something_else_is_refused(before: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(ModelError, match=f"{NO_PROJECTION} 0"):
        output_projections(with_something_before(before), IDS, "self")


def test_a_norm_before_the_projection_is_refused_by_name() -> None:
    torch.manual_seed(0)
    net = hf.BitNetForCausalLM(hf.BitNetConfig(**GROUPED)).eval()
    with pytest.raises(ModelError, match=f"in BitNetForCausalLM {NO_PROJECTION} 0"):
        output_projections(net, IDS, "self")


@pytest.mark.parametrize("family", ["llama", "qwen3_next"])
def test_what_a_hook_of_the_users_makes_of_it_is_no_gate(family: str) -> None:
    """It would count twice: the module that is asked for its matrix has the hook too."""
    net = tiny(family) if family == "llama" else hybrid(family)
    net.model.layers[-1].self_attn.o_proj.register_forward_pre_hook(lambda _m, args: (2 * args[0],))
    watch(net)
    with pytest.raises(ModelError, match=f"{NO_PROJECTION} {len(net.model.layers) - 1}"):
        output_projections(net, IDS, "self")


def test_a_hook_that_only_looks_is_in_nobodys_way() -> None:
    net = hybrid("qwen3_next")
    net.model.layers[3].self_attn.o_proj.register_forward_pre_hook(lambda _m, _args: None)
    watch(net)
    assert all(projection.gated for projection in output_projections(net, IDS, "self").values())


class Before(nn.Module):
    """Does something to what the projection is given."""

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        return self.change(x)


def with_something_before(change: Callable[[Tensor], Tensor]) -> hf.PreTrainedModel:
    """A tiny Llama in which something stands between attention and projection."""
    net = tiny("llama")
    for layer in net.model.layers:
        layer.self_attn.o_proj = nn.Sequential(Before(change), layer.self_attn.o_proj)
    watch(net)
    return net


class Odd(nn.Module):
    """Takes no single vector."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(8, 6))

    def forward(self, _x: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("two tensors, please")
