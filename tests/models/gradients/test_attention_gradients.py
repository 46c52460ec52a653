"""Each layer's attention and the gradient at it equal those of eager attention with everything held."""

from copy import deepcopy

import pytest
import torch
import transformers as hf
from planted import copy_tokenizer
from tiny_models import classifier, tiny
from torch import Tensor

import attnscope as ats
from attnscope.methods.attention.attention_gradient import relevance
from attnscope.models.gradients import attention_gradients as module
from attnscope.models.gradients.attention_gradients import LayerGradient, attention_gradients
from attnscope.models.targets.readout import Readout
from reference.textbook import chefer

IDS = list(range(3, 14))


def readout(net: torch.nn.Module) -> Readout:
    return Readout({"input_ids": IDS}, (7, 10), (5, 9), (1, 1), "log_probability")


def eager(net: torch.nn.Module) -> tuple[float, tuple[Tensor, ...], tuple[Tensor, ...]]:
    net = deepcopy(net)
    if net._can_set_attn_implementation():
        net.set_attn_implementation("eager")
    outputs = net(torch.tensor([IDS]), output_attentions=True)
    value = outputs.logits[0].log_softmax(-1)[[7, 10], [5, 9]].sum()
    return value.item(), outputs.attentions, torch.autograd.grad(value, outputs.attentions)


@pytest.mark.parametrize("saved", [0, module.SAVED_BYTES])
@pytest.mark.parametrize("family", ["llama", "mistral", "gemma2", "bert", "gptj"])
def test_every_layer_from_the_top_down(family: str, saved: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAVED_BYTES", saved)
    net = tiny(family, sharp=2.0)
    value, attention, gradients = eager(net)
    layers = iter([2, 1, 0])

    def see(layer: LayerGradient) -> None:
        number = next(layers)
        assert layer.read_at.nonzero().flatten().tolist() == [7, 10]
        for block in layer.blocks(torch.arange(len(IDS))):
            seen = block.weights.shape[-1]
            for ours, theirs in ((block.weights, attention), (block.gradient, gradients)):
                whole = theirs[number][0].detach()
                # Where a weight is zero by the mask, eager attention has a gradient that means nothing.
                open_ = (attention[number][0] > 0)[:, block.queries, :seen]
                expected = whole[:, block.queries, :seen] * open_
                torch.testing.assert_close(ours * open_, expected, atol=1e-4 * float(whole.abs().max()), rtol=1e-4)

    read = attention_gradients(ats.Model(net, copy_tokenizer()), readout(net), see)
    assert read.value == pytest.approx(value, rel=1e-4)
    assert read.ids == (5, 9)
    assert next(layers, None) is None


def test_the_likeliest_token_can_be_the_target() -> None:
    net = tiny("llama", sharp=2.0)
    model = ats.Model(net, copy_tokenizer())
    with torch.no_grad():
        logs, likeliest = net(torch.tensor([IDS])).logits[0, [7, 10]].log_softmax(-1).max(-1)
    read = attention_gradients(model, readout(net), lambda _layer: None, likeliest=True)
    assert read.ids == tuple(likeliest.tolist())
    assert read.value == pytest.approx(logs.sum().item(), rel=1e-4)


def test_relevance_is_chefers() -> None:
    model = classifier("Sequence")
    found = relevance(model, Readout({"input_ids": IDS}, (0,), (2,), (1,), "logit"))
    expected = chefer(model.model, {"input_ids": torch.tensor([IDS])}, lambda logits: logits[2])[0]
    expected[0] -= 1
    torch.testing.assert_close(found.row, expected, atol=1e-5 * float(expected.max()), rtol=1e-4)


def test_a_causal_model_of_a_masked_family_is_tried_before_the_hooks_are_set() -> None:
    """Whether BERT reads both ways is learnt by passes of its own, which must not run under ours."""
    sizes = {"vocab_size": 64, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 48}
    torch.manual_seed(0)
    net = hf.RemBertForCausalLM(
        hf.RemBertConfig(**sizes, input_embedding_size=32, num_hidden_layers=2, is_decoder=True)
    )
    model = ats.Model(net.eval(), copy_tokenizer())
    assert ats.explain(model, "a b c d e f", method="attention_gradient", target=" c").scores.any()
