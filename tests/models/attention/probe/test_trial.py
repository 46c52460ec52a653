"""The passes of a trial, and what is kept of each call."""

import pytest
import torch
from tiny_models import tiny

from attnscope.errors import ModelError
from attnscope.models.attention.probe.trial import eager_pass, pass_as_it_came, products_pass, served_pass
from attnscope.models.leave_unchanged import unchanged

IDS = {"input_ids": torch.arange(3, 19)[None]}


def test_the_same_calls_are_known_again_in_two_passes() -> None:
    net = tiny("gemma2")
    with unchanged(net), torch.no_grad():
        came = pass_as_it_came(net, net.model, IDS)
        eager = eager_pass(net, net.model, IDS)
        served = served_pass(net, net.model, IDS, "sdpa")
    assert len(eager.calls) == len(served.calls) == 3
    for one, other in zip(served.calls, eager.calls, strict=True):
        assert one.like(other)
        assert max(one.excess, other.excess, other.excess_of_weights) < 1
        torch.testing.assert_close(one.weights, other.weights, atol=1e-5, rtol=0)
    assert not served.calls[0].like(served.calls[1])
    assert [weights is call.returned for weights, call in zip(eager.reported["self"], eager.calls, strict=True)] == [
        True
    ] * 3
    torch.testing.assert_close(came.hidden, eager.hidden, atol=1e-4, rtol=0)


def test_matrices_that_a_model_forms_are_checked_against_their_output() -> None:
    net = tiny("gemma2")
    with unchanged(net), torch.no_grad():
        served = served_pass(net, net.model, IDS, "eager")
    assert [call.given for call in served.calls] == [None] * 3
    assert max(call.excess for call in served.calls) < 1


def test_products_of_a_softmax_with_values_and_who_forms_them() -> None:
    net = tiny("bloom")
    with unchanged(net), torch.no_grad():
        products = products_pass(net, net.transformer, IDS)
        eager = eager_pass(net, net.transformer, IDS)
        assert not served_pass(net, net.transformer, IDS, "sdpa").calls
    assert [call.module for call in products.calls] == [block.self_attention for block in net.transformer.h]
    for call, weights in zip(products.calls, eager.reported["self"], strict=True):
        torch.testing.assert_close(call.weights, weights)
    assert eager.returned[id(eager.reported["self"][0])] == (net.transformer.h[0].self_attention, 1)


def test_an_error_of_the_models_own_becomes_one_that_names_it() -> None:
    net = tiny("llama")
    with unchanged(net), pytest.raises(ModelError, match=r"LlamaForCausalLM does not run on a text alone \("):
        pass_as_it_came(net, net.model, {})
