"""Rules of the backward pass: those of calculus change nothing, each other one does what it says."""

import pytest
import torch
import transformers as hf
from snapshot import watch
from tiny_models import tiny
from torch import Tensor

from attnscope.errors import ModelError
from attnscope.methods.gradient.gim import RULES
from attnscope.models.gradients.backward_rules import BackwardRules, backward_modified
from reference.eager import eager_copy, interaction_modified

IDS = {"input_ids": torch.arange(3, 14)[None]}
CALCULUS = BackwardRules(temperature=1.0, query_key_share=1.0, value_share=1.0)


def gradient(net: hf.PreTrainedModel, rules: BackwardRules | None) -> tuple[Tensor, Tensor]:
    """A log-probability, and its gradient at the embeddings; under rules, norms are held constant."""
    embeddings = net.get_input_embeddings()(IDS["input_ids"]).detach().requires_grad_()
    if rules is None:
        value = net(inputs_embeds=embeddings).logits[0, -1].log_softmax(-1)[5]
        return value.detach(), torch.autograd.grad(value, embeddings)[0]
    with backward_modified(net, IDS, rules):
        value = net(inputs_embeds=embeddings).logits[0, -1].log_softmax(-1)[5]
        return value.detach(), torch.autograd.grad(value, embeddings)[0]


@pytest.mark.parametrize("family", ["llama", "gemma2", "gpt_oss", "bloom"])
def test_the_forward_pass_stays_and_interface_and_hooks_agree(family: str) -> None:
    net = tiny(family, sharp=2.0)
    plain, _ = gradient(net, None)
    for rules in (CALCULUS, RULES):
        value, _ = gradient(net, rules)
        torch.testing.assert_close(value, plain, atol=1e-4, rtol=1e-4)


def test_calculus_is_calculus_where_there_are_no_norms() -> None:
    """OPT's norms are replaced by nothing: what is left of the rules is attention alone."""
    net = tiny("opt", sharp=2.0)
    for module in net.modules():
        for name, child in module.named_children():
            if isinstance(child, torch.nn.LayerNorm):
                setattr(module, name, torch.nn.Identity())
    watch(net)
    _, plain = gradient(net, None)
    _, ours = gradient(net, CALCULUS)
    torch.testing.assert_close(ours, plain, atol=1e-5 * float(plain.abs().max()), rtol=1e-4)
    _, without_values = gradient(net, BackwardRules(1.0, 1.0, 0.0))
    _, without_scores = gradient(net, BackwardRules(1.0, 0.0, 1.0))
    assert not torch.allclose(without_values, plain)
    assert not torch.allclose(without_scores, plain)


def test_gim_is_these_rules() -> None:
    net = tiny("llama", sharp=2.0)
    assert BackwardRules(2.0, 0.25, 0.5) == RULES
    _, expected = gradient(net, RULES)
    embeddings = net.get_input_embeddings()(IDS["input_ids"]).detach().requires_grad_()
    with backward_modified(net, IDS, RULES):
        value = net(inputs_embeds=embeddings).logits[0, -1].log_softmax(-1)[5]
        assert torch.equal(torch.autograd.grad(value, embeddings)[0], expected)


def test_a_norm_that_is_not_known_is_refused_by_name() -> None:
    class CubicNorm(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x**3

    net = tiny("llama")
    net.model.norm = CubicNorm()
    watch(net)
    with backward_modified(net, IDS, RULES), pytest.raises(ModelError, match="CubicNorm is neither a LayerNorm"):
        net(**IDS)


def test_a_norm_without_statistics_is_what_it_is() -> None:
    class NoNorm(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.bias = torch.nn.Parameter(torch.rand(32)), torch.nn.Parameter(torch.rand(32))

        def forward(self, x: Tensor) -> Tensor:
            return x * self.weight + self.bias

    net = tiny("llama")
    net.model.norm = NoNorm()
    watch(net)
    expected = gradient(net, None)[0]
    assert torch.allclose(gradient(net, RULES)[0], expected, atol=1e-5)
    x = torch.rand(1, 3, 32, requires_grad=True)
    with backward_modified(net, IDS, RULES):
        (found,) = torch.autograd.grad(net.model.norm(x).sum(), x)
    assert torch.allclose(found, net.model.norm.weight.expand_as(x))


def test_a_norm_of_another_axis_is_refused_by_name() -> None:
    settings = {"vocab_size": 64, "hidden_size": 32, "embedding_size": 32, "intermediate_size": 48}
    net = hf.SqueezeBertForMaskedLM(hf.SqueezeBertConfig(**settings, num_hidden_layers=2, num_attention_heads=4)).eval()
    with backward_modified(net, IDS, RULES), pytest.raises(ModelError, match="SqueezeBertLayerNorm is neither"):
        net(**IDS)


def test_the_decoder_of_a_classifier_is_tried_on_the_text_itself() -> None:
    settings = {"vocab_size": 64, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4}
    net = hf.T5ForSequenceClassification(hf.T5Config(**settings, decoder_start_token_id=0, eos_token_id=13)).eval()
    plain = net(**IDS).logits
    with backward_modified(net, IDS, RULES):
        assert torch.allclose(net(**IDS).logits, plain, atol=1e-5)


def test_an_encoder_that_attends_in_another_way_than_the_decoder_follows_the_rules_too() -> None:
    """BigBird-Pegasus' decoder goes through transformers' interface, and its encoder does not."""
    sizes = {"vocab_size": 64, "d_model": 32, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_layers": 2, "decoder_layers": 1}
    config = hf.BigBirdPegasusConfig(**sizes, **heads, attention_type="original_full", init_std=0.5)
    torch.manual_seed(0)
    net = hf.BigBirdPegasusForConditionalGeneration(config).eval()
    decoder = torch.tensor([[2, 5, 9]])

    def at_embeddings(read: hf.PreTrainedModel) -> Tensor:
        embeddings = read.get_input_embeddings()(IDS["input_ids"]).detach().requires_grad_()
        logits = read(inputs_embeds=embeddings, decoder_input_ids=decoder, use_cache=False).logits
        return torch.autograd.grad(logits[0, -1].log_softmax(-1)[5], embeddings)[0]

    with backward_modified(net, {**IDS, "decoder_input_ids": decoder}, RULES):
        ours = at_embeddings(net)
    eager = eager_copy(net)
    with interaction_modified(eager, [11, 3]):
        expected = at_embeddings(eager)
    torch.testing.assert_close(ours, expected, atol=1e-4 * float(expected.abs().max()), rtol=1e-4)
