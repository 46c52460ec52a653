"""Which modules a model's layers are, and passes that begin at one of them."""

import pytest
import torch
from planted import CopyBack, copy_tokenizer
from tiny_models import hybrid, tiny
from torch import nn

from attnscope.errors import ModelError
from attnscope.models.attention.layout import attention_layout
from attnscope.models.intervention.layers import begun_at, layers_of, layers_recorded, layers_skipped, with_hidden
from attnscope.models.leave_unchanged import unchanged

INPUTS = {"input_ids": torch.tensor([copy_tokenizer()("a b c d e f g h")["input_ids"]])}


@pytest.mark.parametrize("family", ["llama", "gpt2", "bloom", "bert", "albert"])
def test_layers_are_in_the_order_in_which_they_run(family: str) -> None:
    net = tiny(family)
    layers = layers_of(net, INPUTS, "self", attention_layout(net, INPUTS))
    assert len(layers) == 3
    assert len(set(layers)) == (1 if family == "albert" else 3)


def test_layers_of_other_kinds_count() -> None:
    net = hybrid("lfm2")
    assert len(layers_of(net, INPUTS, "self", attention_layout(net, INPUTS))) == 5


def test_a_pass_that_begins_above_gives_the_same_for_every_copy() -> None:
    net = tiny("llama")
    layers = layers_of(net, INPUTS, "self", attention_layout(net, INPUTS))
    with unchanged(net), torch.no_grad():
        with layers_recorded(layers) as outputs:
            whole = net(**INPUTS).logits
        count = 0

        def counted(_module: nn.Module, _args: object) -> None:
            nonlocal count
            count += 1

        for layer in layers:
            layer.self_attn.register_forward_pre_hook(counted)
        with begun_at(layers, 2, outputs, 3):
            again = net(input_ids=INPUTS["input_ids"].repeat(3, 1)).logits
    assert count == 1, "only the last layer ran"
    torch.testing.assert_close(again, whole.expand(3, -1, -1), atol=1e-5, rtol=0)


def test_skipping_all_layers_leaves_the_embeddings() -> None:
    net = tiny("llama")
    layers = layers_of(net, INPUTS, "self", attention_layout(net, INPUTS))
    with unchanged(net), torch.no_grad(), layers_skipped(layers, {0, 1, 2}):
        found = net(**INPUTS).logits
    with torch.no_grad():
        expected = net.lm_head(net.model.norm(net.model.embed_tokens(INPUTS["input_ids"])))
    torch.testing.assert_close(found, expected)


def test_a_model_without_a_list_of_layers_is_refused() -> None:
    with pytest.raises(ModelError, match="as the modules of one list"):
        layers_of(CopyBack.make(2), INPUTS, "self", None)


def test_layers_that_hand_on_something_else_are_refused() -> None:
    """What is between two layers would be skipped or doubled."""
    net = tiny("llama")
    second = net.model.layers[1]
    own = type(second).forward

    def scaled(self: nn.Module, hidden_states: torch.Tensor, **given: object) -> object:
        return own(self, 2 * hidden_states, **given)

    class Scaling(type(second)):  # type: ignore[misc]
        forward = scaled

    def double(_module: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (2 * args[0], *args[1:])

    handle = second.register_forward_pre_hook(double)
    try:
        with pytest.raises(ModelError, match="does not take in what the layer below it has put out"):
            layers_of(net, INPUTS, "self", attention_layout(net, INPUTS))
    finally:
        handle.remove()


def test_only_the_hidden_states_are_exchanged() -> None:
    one, other = torch.zeros(1), torch.ones(1)
    assert with_hidden((one, "bias"), other) == (other, "bias")
    assert with_hidden(one, other) is other
