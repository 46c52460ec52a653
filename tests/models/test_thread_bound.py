"""A thread of the user's that runs the same model sees nothing of what attnscope does to it, and changes nothing."""

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import MASKED, tiny
from torch import Tensor
from transformers import LlamaConfig, PreTrainedConfig, PreTrainedModel

import attnscope as ats
from attnscope.errors import AttnscopeError
from attnscope.models.activation_checkpointing import activations_bounded
from attnscope.models.inputs.encode import encode
from attnscope.models.thread_bound import (
    acting_thread,
    attention_names_kept,
    here_only,
    name_attention,
    on_behalf,
    undone_by,
)

TEXT = "a b c d e f"
IDS = torch.arange(3, 40)[None]
# A causal model, one outside transformers' attention interface, an encoder–decoder and an encoder.
FAMILIES = ("llama", "bloom", "t5", "bert")
METHODS = (
    "gradient", "integrated_gradients", "gim", "deletion", "attention", "rollout", "attention_gradient", "value_norm",
    "value_zeroing",
)  # fmt: skip


def in_another_thread(function: Callable[[], Any]) -> Any:
    """What the function returns or raises there."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results[0]


def eager(family: str) -> ats.Model:
    net = tiny(family, 2.0)
    net.set_attn_implementation("eager")
    watch(net)
    return ats.Model(net, copy_tokenizer())


def logits(net: PreTrainedModel) -> Tensor:
    """Of a text that is long enough for a mask that is forgotten to show."""
    decoder = {"decoder_input_ids": IDS} if net.config.is_encoder_decoder else {}
    with torch.no_grad():
        return net(input_ids=IDS, **decoder).logits


def scores(model: ats.Model, family: str, method: str) -> str:
    target = {} if family in MASKED else {"target": " g"}
    try:
        return str(ats.explain(model, TEXT, method, **target).to_json())
    except AttnscopeError as error:  # not every method is for every model
        return str(error)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_pass_of_another_thread_within_one_of_ours(family: str, method: str) -> None:
    expected = scores(eager(family), family, method)
    model = eager(family)
    net = model.model
    wanted, here, found = logits(net), threading.get_ident(), list[Any]()

    def run_elsewhere(*_: object) -> None:
        if threading.get_ident() == here and len(found) < 12:
            found.append(in_another_thread(lambda: logits(net)))

    linear = [module for module in net.modules() if type(module) is torch.nn.Linear]
    handle = linear[len(linear) // 4].register_forward_pre_hook(run_elsewhere)
    watch(net)
    assert scores(model, family, method) == expected
    for theirs in found:
        torch.testing.assert_close(theirs, wanted)
    assert found or not expected.startswith("{")
    handle.remove()
    watch(net)


@pytest.mark.parametrize("family", FAMILIES)
def test_ours_within_a_pass_of_another_thread(family: str) -> None:
    """It has made its mask for one kind of attention, and must not go on with another."""
    expected = [scores(eager(family), family, method) for method in METHODS]
    model = eager(family)
    net = model.model
    wanted, here = logits(net), threading.get_ident()
    halfway, go_on = threading.Event(), threading.Event()

    def wait(*_: object) -> None:
        if threading.get_ident() != here:
            halfway.set()
            go_on.wait(60)

    first = next(module for module in net.modules() if type(module) is torch.nn.Linear)
    handle = first.register_forward_pre_hook(wait)
    watch(net)
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(logits(net)))
    thread.start()
    assert halfway.wait(60)
    # The other thread is halfway through its pass all the while.
    found = [scores(model, family, method) for method in METHODS]
    go_on.set()
    thread.join()
    torch.testing.assert_close(results[0], wanted)
    assert found == expected
    handle.remove()
    watch(net)


def test_two_threads_that_explain_the_same_model() -> None:
    expected = {method: scores(eager("llama"), "llama", method) for method in METHODS}
    model = eager("llama")
    found: list[tuple[str, str]] = []

    def explain() -> None:
        found.extend((method, scores(model, "llama", method)) for method in METHODS)

    threads = [threading.Thread(target=explain) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3 * len(METHODS)
    assert all(result == expected[method] for method, result in found)


def test_threads_that_read_with_the_same_tokenizer_leave_it_as_it_was() -> None:
    """Its own truncation and padding are switched off for a call, which another thread must not take for its own."""
    tokenizer, text = copy_tokenizer(), "a b c d e f g h " * 12
    expected = encode(tokenizer, text).inputs["input_ids"]
    backend = tokenizer.backend_tokenizer
    backend.enable_truncation(8)
    backend.enable_padding(length=16)
    before = (backend.truncation, backend.padding)
    read: list[list[int]] = []

    def encode_often() -> None:
        read.extend(encode(tokenizer, text).inputs["input_ids"] for _ in range(40))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=encode_often) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert (backend.truncation, backend.padding) == before
    assert len(read) == 160
    assert all(ids == expected for ids in read)
    backend.no_truncation()
    backend.no_padding()


def test_layers_run_again_in_a_thread_of_autograds_are_ours() -> None:
    """As on a GPU, where it has a thread for each device."""
    net = tiny("llama")
    seen: list[int] = []
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    embeddings = net.get_input_embeddings()(IDS).requires_grad_()
    layer = net.model.layers[0]
    layer.input_layernorm.register_forward_pre_hook(here_only(lambda *_: seen.append(threading.get_ident())))
    with activations_bounded(net, {"input_ids": IDS}, 0):
        loss = net(inputs_embeds=embeddings).logits.sum()
        assert len(seen) == 1
        in_another_thread(lambda: torch.autograd.grad(loss, embeddings))
    assert len(seen) == 2
    assert seen[0] == threading.get_ident() != seen[1]
    layer.input_layernorm._forward_pre_hooks.clear()
    watch(net)


def test_a_function_acts_for_the_thread_that_made_it() -> None:
    here = acting_thread()
    assert in_another_thread(acting_thread) != here
    assert in_another_thread(on_behalf(acting_thread)) == here
    assert acting_thread() == here == threading.get_ident()
    bound = here_only(lambda: "ours", lambda: "theirs")
    assert (bound(), in_another_thread(bound), in_another_thread(on_behalf(bound))) == ("ours", "theirs", "ours")
    assert in_another_thread(here_only(lambda: "ours")) is None


def test_a_name_of_attention_is_this_threads() -> None:
    config = LlamaConfig(attn_implementation="eager")
    with attention_names_kept():
        name_attention(config, "sdpa")
        with attention_names_kept():
            name_attention(config, "flex_attention")
            assert config._attn_implementation == "flex_attention"
        assert config._attn_implementation == "sdpa"
        assert in_another_thread(lambda: config._attn_implementation) == "eager"
        assert LlamaConfig()._attn_implementation is None
        config._attn_implementation = "flash_attention_2"  # by the user, meanwhile
    assert config._attn_implementation == "flash_attention_2"
    assert "_attn_implementation_internal" not in vars(PreTrainedConfig)


def test_what_is_interrupted_while_it_is_undone_is_undone_again() -> None:
    undone: list[int] = []

    def undo() -> None:
        if not undone:
            undone.append(0)
            raise KeyboardInterrupt
        undone.append(1)

    with pytest.raises(KeyboardInterrupt), undone_by(undo):
        pass
    assert undone == [0, 1]
    with undone_by(lambda: undone.append(2)):
        pass
    assert undone == [0, 1, 2]
