"""One call of attention by itself: its weights, blocks and output, and what a watcher changes about it."""

import pytest
import torch
from tiny_models import tiny
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from attnscope.models.attention import interface
from attnscope.models.attention.interface import (
    AttentionCall,
    CallChange,
    EagerCall,
    SDPACall,
    blockwise_output,
    show,
    watched_by,
)
from attnscope.models.attention.serving import IMPLEMENTATION, served, set_implementation
from attnscope.models.leave_unchanged import unchanged

IDS = torch.arange(3, 15)[None]


def sdpa_call(*, causal: bool = True, softcap: float | None = None, sinks: Tensor | None = None) -> SDPACall:
    torch.manual_seed(0)
    query, key, value = torch.randn(1, 4, 7, 8), torch.randn(1, 2, 7, 8), torch.randn(1, 2, 7, 8)
    return SDPACall(
        nn.Identity(), query, key, value, mask=None, scaling=0.5, softcap=softcap, sinks=sinks, causal=causal
    )


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("block", [1, 10**6])
def test_weights_times_values_are_torchs_own_attention(
    causal: bool, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interface, "BLOCK", block)
    call = sdpa_call(causal=causal)
    expected = scaled_dot_product_attention(
        call.query, call.key, call.value, is_causal=causal, scale=0.5, enable_gqa=True
    )
    torch.testing.assert_close(blockwise_output(call, call.value).transpose(1, 2), expected, atol=1e-6, rtol=0)


def test_a_soft_cap_and_sinks_by_hand() -> None:
    sinks = torch.tensor([0.0, 1.0, -1.0, 3.0])
    call = sdpa_call(causal=False, softcap=2.0, sinks=sinks)
    key = call.key.repeat_interleave(2, 1)
    scores = (2.0 * torch.tanh(call.query @ key.transpose(-1, -2) * 0.5 / 2.0)).exp()
    expected = scores / (scores.sum(-1, keepdim=True) + sinks.exp().view(1, 4, 1, 1))
    torch.testing.assert_close(call.weights(torch.arange(7)), expected, atol=1e-6, rtol=0)
    warm, slope = call.weights_at_temperature(torch.arange(7), 7, 1.0)
    torch.testing.assert_close(warm, expected, atol=1e-6, rtol=0)
    assert isinstance(slope, Tensor)
    assert ((slope > 0) & (slope <= 1)).all()


def test_a_call_made_again_holds_no_graph_and_no_values() -> None:
    call = sdpa_call()
    call.query.requires_grad_()
    kept = call.without_value()
    torch.testing.assert_close(kept.weights(torch.arange(7)), call.weights(torch.arange(7)).detach())
    assert not kept.query.requires_grad
    assert kept.value.data_ptr() == kept.key.data_ptr()
    assert not any(isinstance(part, Tensor) for part in call.remaker().args)  # type: ignore[attr-defined]


def test_only_the_innermost_watcher_sees_a_call() -> None:
    seen: list[str] = []
    call = EagerCall(nn.Identity(), torch.ones(1, 1, 2, 2))
    assert show(call) == CallChange()
    with watched_by(lambda _call: seen.append("outer")), watched_by(lambda _call: CallChange(value=call.matrix)):
        assert show(call).value is call.matrix
    assert not seen


def test_what_a_watcher_changes() -> None:
    """Values of zero and an output of zero are the same; and an output that is replaced is not computed."""
    net = tiny("llama")
    outputs = []

    def zero_values(call: AttentionCall) -> CallChange:
        return CallChange(value=torch.zeros_like(call.value))

    def zero_after(_call: AttentionCall) -> CallChange:
        return CallChange(on_output=torch.zeros_like)

    def zero_instead(call: AttentionCall) -> CallChange:
        assert isinstance(call, SDPACall)
        return CallChange(output=torch.zeros_like(call.query.transpose(1, 2)))

    for watcher in (zero_values, zero_after, zero_instead, lambda _call: None):
        with unchanged(net), torch.no_grad(), served(), watched_by(watcher):
            assert set_implementation(net, IMPLEMENTATION)
            outputs.append(net(IDS).logits)
    with torch.no_grad():
        assert torch.equal(outputs[3], net(IDS).logits)
    assert torch.equal(outputs[0], outputs[1])
    assert torch.equal(outputs[0], outputs[2])
    assert not torch.allclose(outputs[0], outputs[3])


def test_a_model_outside_the_interface_says_so() -> None:
    net = tiny("bloom")
    with unchanged(net):
        assert not set_implementation(net, IMPLEMENTATION)
        assert set_implementation(net, "eager")
