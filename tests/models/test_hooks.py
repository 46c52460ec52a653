"""Changes to one forward pass: they reach the model, and they are gone afterwards."""

import torch
from tiny_models import tiny
from torch import Tensor

from attnscope.models.hooks import embedding_leaf, embeddings_replaced, forward_replaced

IDS = torch.arange(3, 11)[None]


def test_the_leaf_takes_the_gradient_of_the_embeddings() -> None:
    net = tiny("llama")
    embeddings = net.get_input_embeddings()(IDS).detach().requires_grad_()
    (expected,) = torch.autograd.grad(net(inputs_embeds=embeddings).logits.sum(), embeddings)
    with embedding_leaf(net) as leaves:
        logits = net(IDS).logits
    (leaf,) = leaves
    torch.testing.assert_close(torch.autograd.grad(logits.sum(), leaf)[0], expected)
    with embedding_leaf(net, lambda x: x * 0.5) as leaves:
        net(IDS)
    torch.testing.assert_close(leaves[0], embeddings.detach() * 0.5)


def test_an_encoder_decoders_leaf_is_the_encoders() -> None:
    net = tiny("t5")
    decoder = torch.arange(5, 8)[None]
    with embedding_leaf(net) as leaves:
        net(input_ids=IDS, decoder_input_ids=decoder)
    assert [leaf.shape[1] for leaf in leaves] == [IDS.shape[1]]


def test_embeddings_are_changed_once_a_pass() -> None:
    net = tiny("llama")
    with torch.no_grad():
        embeddings = net.get_input_embeddings()(IDS)
        expected = net(inputs_embeds=embeddings * 2).logits
        with embeddings_replaced(net, lambda x: x * 2):
            torch.testing.assert_close(net(IDS).logits, expected)
            torch.testing.assert_close(net.get_input_embeddings()(IDS), embeddings)
        with embeddings_replaced(net, None):
            torch.testing.assert_close(net.get_input_embeddings()(IDS), embeddings)


def test_a_forward_of_the_users_own_comes_back() -> None:
    """Accelerate puts a wrapper there for models that are spread over devices."""
    layer = tiny("llama").lm_head
    assert "forward" not in vars(layer)
    with forward_replaced(layer, lambda _x: "first"):
        with forward_replaced(layer, lambda _x: "second"):
            assert layer(Tensor()) == "second"
        assert layer(Tensor()) == "first"
    assert "forward" not in vars(layer)
