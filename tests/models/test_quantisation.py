"""Which weights are quantised is read off the layers."""

import pytest
import torch
import transformers as hf
from snapshot import forget_all
from tiny_models import tiny

from attnscope.models.quantisation import quantisation_of


def test_plain_weights_are_not_quantised() -> None:
    assert quantisation_of(tiny("llama")) is None


@pytest.mark.filterwarnings("ignore")  # of torch, about what will be gone
def test_the_layers_say_it() -> None:
    net = tiny("llama")
    net.model.layers[0].mlp.up_proj = torch.ao.nn.quantized.dynamic.Linear(32, 48)
    assert quantisation_of(net) == "torch qint8"
    net = tiny("llama")
    net.config.quantization_config = hf.GPTQConfig(bits=4)
    forget_all()
    assert quantisation_of(net) == "gptq"
