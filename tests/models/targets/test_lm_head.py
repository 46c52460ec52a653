"""Entries of the vocabulary head and their gradients equal the textbook's in float64, for heads of every make."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers as hf
from snapshot import watch
from tiny_models import tiny
from torch import Tensor, nn

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.models.inputs.batching import tensors
from attnscope.models.targets import lm_head
from attnscope.models.targets.head_split import split_at_head
from attnscope.models.targets.lm_head import entries_and_gradients, head_entries

Head = Callable[[Tensor], Tensor]


def textbook(matrix: Tensor, bias: Tensor | None, hidden: Tensor, ids: Tensor, quantity: str) -> tuple[Tensor, Tensor]:
    """Autograd through all logits of all positions at once, in float64."""
    hidden = hidden.double().requires_grad_()
    logits = nn.functional.linear(hidden, matrix.double(), None if bias is None else bias.double())
    table = logits if quantity == "logit" else logits.log_softmax(-1)
    entries = table.gather(1, ids[:, None])[:, 0]
    return entries.detach(), torch.autograd.grad(entries.sum(), hidden)[0]


def assert_close(found: tuple[Tensor, Tensor], expected: tuple[Tensor, Tensor], within: float) -> None:
    """Entries within 2e-5 and every gradient, however small, within this much of its own length."""
    assert (found[0] - expected[0]).abs().max() < 2e-5
    difference = (found[1] - expected[1]).norm(dim=-1) / expected[1].norm(dim=-1)
    assert difference.max() < within


def blocked(net: hf.PreTrainedModel, hidden: Tensor, head: Head) -> bool:
    return lm_head._linear_head(net, hidden, head) is not None


@pytest.mark.parametrize("tokens", [2, 7, 9, 24])
@pytest.mark.parametrize("quantity", ["log_probability", "logit"])
def test_equals_the_textbook_on_real_weights(smollm2: ats.Model, quantity: str, tokens: int) -> None:
    text = "The quick brown fox jumps over the lazy dog near the river bank, where nobody was looking for it at all."
    ids = smollm2.tokenizer(text)["input_ids"][:tokens]
    with torch.no_grad(), split_at_head(smollm2.model, tensors(smollm2.model, {"input_ids": ids})) as (hidden, head):
        own, following = hidden[0, :-1], torch.tensor(ids[1:])
        assert blocked(smollm2.model, own, head)
        matrix = smollm2.model.get_output_embeddings().weight.detach()
        found = entries_and_gradients(smollm2.model, own, head, following, quantity)
        assert torch.equal(head_entries(smollm2.model, own, head, following, quantity), found[0])
    assert_close(found, textbook(matrix, None, own, following, quantity), within=2e-5)


@pytest.mark.parametrize("rows", [1, 10, 64, 100])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_blocks_of_any_size(rows: int, bias: bool, scale: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scaled up, some ids are all but certain and others all but impossible."""
    monkeypatch.setattr(lm_head, "ROWS", rows)
    monkeypatch.setattr(lm_head, "POSITIONS", 5)
    net = tiny("gpt2")
    layer = nn.Linear(32, 64, bias=bias)
    net.set_output_embeddings(layer)
    torch.manual_seed(1)
    nn.init.normal_(layer.weight)
    watch(net)
    hidden = torch.randn(12, 32) * scale / 32**0.5
    ids = torch.randint(64, (12,))
    ids[:6] = (layer(hidden).argmax(-1))[:6]
    assert blocked(net, hidden, net.lm_head)
    found = entries_and_gradients(net, hidden, net.lm_head, ids, "log_probability")
    expected = textbook(layer.weight.detach(), layer.bias, hidden, ids, "log_probability")
    assert torch.allclose(found[0].double(), expected[0], rtol=1e-5, atol=1e-6)
    assert_close((expected[0], found[1]), expected, within=1e-4)


class Scaled(nn.Linear):
    """A vocabulary head of its own kind."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * 2


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("after", lambda net: lambda hidden: net.lm_head(hidden) * 0.5),
        ("after, in place", lambda net: lambda hidden: net.lm_head(hidden).mul_(0.5)),
        ("before", lambda net: lambda hidden: net.lm_head(hidden * 0.5)),
        ("before, in place", lambda net: lambda hidden: net.lm_head(hidden.clone().mul_(0.5))),
        ("not at all", lambda net: lambda hidden: hidden @ net.lm_head.weight.T * 0.5),
    ],
)
def test_a_head_that_does_more_runs_as_it_is(what: str, change: Callable[[Any], Head]) -> None:
    net = tiny("llama")
    head = change(net)
    hidden, ids = torch.randn(5, net.config.hidden_size), torch.arange(5)
    assert not blocked(net, hidden, head)
    expected = textbook(net.lm_head.weight.detach() * 0.5, None, hidden, ids, "log_probability")
    assert_close(entries_and_gradients(net, hidden, head, ids, "log_probability"), expected, within=1e-4)


def test_a_hooked_or_unusual_matrix_runs_as_it_is() -> None:
    net = tiny("llama")
    hidden, ids = torch.randn(5, net.config.hidden_size), torch.arange(5)
    handle = net.lm_head.register_forward_hook(lambda _module, _args, output: output * 0.5)
    expected = textbook(net.lm_head.weight.detach() * 0.5, None, hidden, ids, "log_probability")
    assert not blocked(net, hidden, net.lm_head)
    assert_close(entries_and_gradients(net, hidden, net.lm_head, ids, "log_probability"), expected, within=1e-4)
    handle.remove()
    assert blocked(net, hidden, net.lm_head)
    scaled = Scaled(net.config.hidden_size, net.config.vocab_size, bias=False)
    net.set_output_embeddings(scaled)
    watch(net)
    assert not blocked(net, hidden, net.lm_head)
    expected = textbook(scaled.weight.detach() * 2, None, hidden, ids, "log_probability")
    assert_close(entries_and_gradients(net, hidden, net.lm_head, ids, "log_probability"), expected, within=1e-4)


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_a_head_as_it_is_keeps_what_is_left_of_certainty(scale: float) -> None:
    torch.manual_seed(1)
    matrix, hidden, ids = torch.randn(64, 32), torch.randn(12, 32) * scale / 32**0.5, torch.randint(64, (12,))
    ids[:6] = (hidden @ matrix.T).argmax(-1)[:6]
    net = tiny("llama")

    def head(x: Tensor) -> Tensor:
        return x @ matrix.T

    assert not blocked(net, hidden, head)
    expected = textbook(matrix, None, hidden, ids, "log_probability")
    found = entries_and_gradients(net, hidden, head, ids, "log_probability")
    assert torch.allclose(found[0].double(), expected[0], rtol=1e-5, atol=1e-6)
    assert_close((expected[0], found[1]), expected, within=1e-4)


def test_lower_precision_around_it_runs_as_it_is() -> None:
    net = tiny("llama")
    hidden, ids = torch.randn(5, net.config.hidden_size), torch.arange(5)
    with torch.autocast("cpu", torch.bfloat16):
        assert not blocked(net, hidden, net.lm_head)
        found = entries_and_gradients(net, hidden, net.lm_head, ids, "log_probability")
    expected = textbook(net.lm_head.weight.detach(), None, hidden, ids, "log_probability")
    assert (found[0] - expected[0]).abs().max() < 0.05 * expected[0].abs().max()


@pytest.mark.parametrize("beyond", [-1, 64])
def test_a_token_beyond_the_vocabulary_is_named(beyond: int) -> None:
    net = tiny("llama")
    hidden, ids = torch.randn(2, net.config.hidden_size), torch.tensor([3, beyond])
    for run in (head_entries, entries_and_gradients):
        with pytest.raises(ModelError, match=f"{beyond}.*64 entries"):
            run(net, hidden, net.lm_head, ids, "log_probability")


def test_no_entries_are_no_entries() -> None:
    net = tiny("llama")
    none = torch.zeros(0, dtype=torch.long)
    found = head_entries(net, torch.zeros(0, net.config.hidden_size), net.lm_head, none, "log_probability")
    assert found.shape == (0,)
