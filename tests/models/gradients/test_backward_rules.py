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
