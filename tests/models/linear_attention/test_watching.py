"""Seeing the calls of linear attention: only those of this thread, and everything is as before."""

import sys
import threading

import pytest
import torch
from snapshot import watch
from tiny_models import LINEAR, linear, tiny

from attnscope.models.leave_unchanged import unchanged
from attnscope.models.linear_attention.scans import SCANS
from attnscope.models.linear_attention.watching import linear_watched, mechanism
from reference.linear import FUNCTIONS

IDS = {"input_ids": torch.arange(3, 20)[None]}


def test_modules_are_known_by_what_they_call() -> None:
    for family, name in (("qwen3_next", "gated delta rule"), ("kimi_linear", "Kimi delta attention")):
        found = [mechanism(module) for module in linear(family).modules()]
        assert found.count(name) == len(LINEAR[family][3]) == len([f for f in found if f])
    assert [mechanism(module) for module in linear("minimax").modules()].count("lightning attention") == 2
    assert not any(mechanism(module) for module in tiny("llama").modules())
    assert set(FUNCTIONS) == set(SCANS)


@pytest.mark.parametrize("family", ["qwen3_next", "mamba2", "minimax"])
def test_a_pass_is_as_before_also_after_an_error(family: str) -> None:
    net = linear(family)
    file = sys.modules[type(net).__module__]
    before = {name: getattr(file, name) for name in FUNCTIONS if hasattr(file, name)}
    modules = {module: 0 for module in net.modules() if mechanism(module)}
    with torch.no_grad():
        expected = net(**IDS).logits
    seen: list[object] = []
    with torch.no_grad(), unchanged(net), linear_watched(modules, lambda module, _call: seen.append(module)):
        torch.testing.assert_close(net(**IDS, use_cache=False).logits, expected, rtol=0, atol=0)
    assert seen == list(modules)

    def fail(_module: object, _call: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), torch.no_grad(), unchanged(net), linear_watched(modules, fail):
        net(**IDS)
    assert {name: getattr(file, name) for name in before} == before


def test_another_thread_is_not_watched() -> None:
    net = linear("qwen3_next")
    modules = {module: 0 for module in net.modules() if mechanism(module)}
    seen: list[object] = []

    def run() -> None:
        with torch.no_grad():
            net(**IDS)

    with unchanged(net), linear_watched(modules, lambda module, _call: seen.append(module)):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        assert not seen
        with torch.no_grad():
            net(**IDS, use_cache=False)
    assert seen == list(modules)


@pytest.mark.parametrize("family", LINEAR)
def test_a_pass_of_another_thread_within_one_of_ours(family: str) -> None:
    """It runs through the same modules, between what they are given and what they make of it."""
    net = linear(family)
    modules = {module: 0 for module in net.modules() if mechanism(module)}
    first, here = next(iter(modules)), threading.get_ident()
    others = {"input_ids": torch.arange(30, 35)[None]}

    def rows() -> list[torch.Tensor]:
        found: list[torch.Tensor] = []
        see = lambda _module, call: found.append(call.weights(torch.arange(call.queries)))  # noqa: E731
        with torch.no_grad(), unchanged(net), linear_watched(modules, see):
            net(**IDS, use_cache=False)
        return found

    def run() -> None:
        with torch.no_grad():
            net(**others, use_cache=False)

    def run_elsewhere(*_: object) -> None:
        if threading.get_ident() == here:
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()

    expected = rows()
    parts = [part for part in first.modules() if part is not first]
    handles = [part.register_forward_hook(run_elsewhere) for part in parts]
    watch(net)
    torch.testing.assert_close(rows(), expected, rtol=0, atol=0)
    for handle in handles:
        handle.remove()
    watch(net)
