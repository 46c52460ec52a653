"""A model computes under the watcher's eyes what it computes by itself; others are none the wiser."""

import copy
import threading

import pytest
import torch
from snapshot import watch
from sparse_models import SPARSE, sparse
from tiny_models import tiny
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from attnscope.errors import ModelError
from attnscope.models.attention import serving
from attnscope.models.attention.capture import capture
from attnscope.models.attention.interface import AttentionCall, CallChange, watched_by
from attnscope.models.attention.layout import attention_layout
from attnscope.models.attention.serving import IMPLEMENTATION, served, set_implementation
from attnscope.models.leave_unchanged import unchanged

IDS = {"input_ids": torch.randint(3, 60, (1, 40), generator=torch.Generator().manual_seed(1))}


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
@pytest.mark.parametrize("family", SPARSE)
def test_sparse_attention_stays_sparse(family: str, implementation: str) -> None:
    """These models mask what their indexer leaves out only where their attention is called "eager" or "sdpa"."""
    net = sparse(family, implementation)
    eager = copy.deepcopy(net)
    eager.set_attn_implementation("eager")
    with torch.no_grad():
        expected = eager(**IDS, output_attentions=True).attentions
    rows: dict[int, Tensor] = {}

    def see(layer: int, call: AttentionCall) -> None:
        rows[layer] = call.weights(torch.arange(40))

    capture(net, IDS, range(3), see)
    assert (expected[-1][0, :, -1] > 0).sum(-1).max() <= 12
    for layer, theirs in enumerate(expected):
        torch.testing.assert_close(rows[layer], theirs, atol=1e-5, rtol=0)


def lookup() -> object:
    return getattr(AttentionInterface, serving._LOOKUP)


def test_what_a_model_is_given_is_as_before_afterwards() -> None:
    before = lookup()
    try:
        with served(), watched_by(lambda _call: None), served():
            assert lookup() is not before
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert lookup() is before


def test_another_thread_that_runs_the_model_gets_plain_attention() -> None:
    net = tiny("llama")
    ids = IDS["input_ids"]
    with torch.no_grad():
        expected = net(ids).logits
    seen: list[int] = []
    outputs: list[Tensor] = []

    def zero(_call: AttentionCall) -> CallChange:
        seen.append(threading.get_ident())
        return CallChange(on_output=torch.zeros_like)

    def run() -> None:
        with torch.no_grad():
            outputs.append(net(ids).logits)

    with unchanged(net), torch.no_grad(), served(), watched_by(zero):
        assert set_implementation(net, IMPLEMENTATION)
        other = threading.Thread(target=run)
        other.start()
        other.join()
        assert not seen
        run()
    assert set(seen) == {threading.get_ident()}
    assert torch.equal(outputs[0], expected)
    assert not torch.equal(outputs[1], expected)


def test_the_implementation_that_a_model_came_with_comes_back() -> None:
    net = sparse("hy_v4", "eager")
    attention_layout(net, IDS)
    assert net.config._attn_implementation == "eager"
    assert AttentionInterface._global_mapping["sdpa"] is sdpa_attention_forward


@pytest.mark.parametrize("factor", [1, 2])
def test_an_attention_function_of_the_users_own_makes_the_output_or_is_refused(
    factor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []

    def mine(module: object, query: Tensor, *args: object, **kwargs: object) -> object:
        calls.append(module)
        return sdpa_attention_forward(module, query * factor, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setitem(AttentionInterface._global_mapping, "mine", mine)
    monkeypatch.setitem(AttentionMaskInterface._global_mapping, "mine", sdpa_mask)
    net = tiny("llama")
    net.set_attn_implementation("mine")
    watch(net)
    if factor == 2:
        with pytest.raises(ModelError, match=r"LlamaForCausalLM does not return .* layer 0 .*'mine'"):
            attention_layout(net, IDS)
        return
    attention_layout(net, IDS)
    calls.clear()
    capture(net, IDS, range(3), lambda _layer, _call: None)
    assert len(calls) >= 2
