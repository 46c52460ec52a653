"""Which weights are quantised is read off the layers; layers that pass no gradient are found by trying."""

from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from planted import copy_tokenizer
from snapshot import forget_all
from tiny_models import tiny
from torch import Tensor, nn

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.models.quantisation import check_passes_gradients, quantisation_of

pytestmark = pytest.mark.filterwarnings("ignore")  # of torch, about what will be gone


class Rounded(nn.Module):
    """A layer with int8 weights, whose kernel may be one for inference."""

    def __init__(self, plain: nn.Linear, kernel: str) -> None:
        super().__init__()
        self.in_features, self.out_features, self.kernel = plain.in_features, plain.out_features, kernel
        self.scale = plain.weight.detach().abs().max() / 127
        self.weight = nn.Parameter((plain.weight.detach() / self.scale).round().to(torch.int8), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        output = x @ (self.weight.float() * self.scale).T
        # "wrong": its backward pass is another one's.
        return {"passes": output, "cut": output.detach(), "wrong": output.detach() + 0.1 * (output - output.detach())}[
            self.kernel
        ]


def rounded(kernel: str) -> Any:
    net = tiny("llama").eval()
    for layer in net.model.layers:
        layer.mlp.up_proj = Rounded(layer.mlp.up_proj, kernel)
    forget_all()
    return net


def test_plain_weights_are_not_quantised() -> None:
    assert quantisation_of(tiny("llama")) is None


def test_the_layers_say_it_else_the_configuration() -> None:
    net = torch.ao.quantization.quantize_dynamic(tiny("llama").eval(), {nn.Linear}, dtype=torch.qint8)
    assert quantisation_of(net) == "torch qint8"
    net = tiny("llama")
    net.config.quantization_config = hf.GPTQConfig(bits=4)
    forget_all()
    assert quantisation_of(net) == "gptq"


def test_a_kernel_that_passes_gradients_gives_them() -> None:
    net = rounded("passes")
    plain = tiny("llama").eval()
    for theirs, layer in zip(plain.model.layers, net.model.layers, strict=True):
        theirs.mlp.up_proj.weight.data = layer.mlp.up_proj.weight.float() * layer.mlp.up_proj.scale
    forget_all()
    expected = ats.explain(ats.Model(plain, copy_tokenizer()), "a b c d").scores
    np.testing.assert_allclose(ats.explain(ats.Model(net, copy_tokenizer()), "a b c d").scores, expected, rtol=1e-4)


@pytest.mark.parametrize("method", ["gradient", "gim", "attention_gradient"])
@pytest.mark.parametrize("kernel", ["cut", "wrong", "torch qint8"])
def test_a_kernel_for_inference_is_refused_where_a_gradient_is_needed(kernel: str, method: str) -> None:
    net = (
        torch.ao.quantization.quantize_dynamic(tiny("llama").eval(), {nn.Linear}, dtype=torch.qint8)
        if kernel == "torch qint8"
        else rounded(kernel)
    )
    forget_all()
    model = ats.Model(net, copy_tokenizer())
    with pytest.raises(ModelError, match=r"no gradient passes the quantised layer .*use attention or deletion"):
        ats.explain(model, "a b c d", method=method)
    assert np.isfinite(ats.explain(model, "a b c d", method="deletion").scores).all()
    assert ats.attention(model, "a b c d").scores.sum() == pytest.approx(1, abs=1e-5)


def test_plain_layers_are_not_tried() -> None:
    net = tiny("llama")
    for layer in net.model.layers:
        layer.mlp.up_proj.forward = None
    forget_all()
    check_passes_gradients(net)


def test_a_module_of_other_modules_is_no_quantised_layer() -> None:
    """Some name the width of what they read (Aria's projector), and are given something else."""

    class Projector(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.in_features = 32
            self.inner = nn.Linear(32, 32)

        def forward(self, _x: Tensor) -> Tensor:
            raise KeyError("not of this shape")

    net: Any = tiny("llama").eval()
    net.projector = Projector()
    forget_all()
    check_passes_gradients(net)
