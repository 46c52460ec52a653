"""A cached prefix gives what whole passes give, and models whose cache cannot be used are known."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers as hf
from planted import CopyBack
from snapshot import watch
from tiny_models import CAUSAL, GROUPED, tiny

from attnscope.models.leave_unchanged import unchanged
from attnscope.models.model_facts import facts_of
from attnscope.models.perturbation import prefix_reuse
from attnscope.models.perturbation.prefix_reuse import entries_after_prefix, reuses_prefix, whole_pass
from attnscope.models.perturbation.variants import Variant, overwriting
from attnscope.models.targets.readout import Readout, entries_of

IDS = list(range(3, 15))


def readout(ids: list[int], positions: tuple[int, ...] = (4, 9, 11)) -> Readout:
    return Readout({"input_ids": ids}, positions, (5,) * len(positions), (1,) * len(positions), "log_probability")


@pytest.mark.parametrize("budget", [1, 1024])
@pytest.mark.parametrize("family", CAUSAL)
def test_entries_are_those_of_whole_passes(family: str, budget: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefix_reuse, "BUDGET", budget)
    net = tiny(family, sharp=2.0)
    base = readout(IDS)
    assert reuses_prefix(net, base)
    variants = [Variant(readout([*IDS[:i], 40, *IDS[i + 1 :]]), (0, 1, 2), i) for i in (0, 5, 11)]
    variants.append(Variant(base, (0, 1, 2), 6, (6, 7)))
    vector = torch.full(net.get_input_embeddings().weight.shape[1:], 0.1)
    with unchanged(net), torch.no_grad():
        whole = whole_pass(net, base)
        after = entries_after_prefix(net, base, whole, variants, vector)
        every = [Variant(base, (0, 1, 2), 12), *variants]
        expected = entries_of(net, [v.readout for v in every], change=overwriting(every, vector))
    for ours, theirs in zip([whole.entries, *after], expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def hybrid() -> hf.PreTrainedModel:
    return hf.Lfm2ForCausalLM(hf.Lfm2Config(**GROUPED | {"layer_types": ["conv", "full_attention", "conv"]}))


def recurrent() -> hf.PreTrainedModel:
    return hf.MambaForCausalLM(hf.MambaConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2, state_size=4))


@pytest.mark.parametrize("make", [hybrid, recurrent, lambda: CopyBack.make(2)])
def test_a_cache_that_cannot_be_used(make: Callable[[], hf.PreTrainedModel]) -> None:
    net = make().eval()
    watch(net)
    assert not reuses_prefix(net, readout(IDS))
    assert facts_of(net).reuses_prefix is False


def test_a_text_that_cannot_tell_decides_nothing() -> None:
    net = tiny("llama")
    assert not reuses_prefix(net, readout(IDS[:3], (1,)))
    assert not reuses_prefix(net, readout(IDS, (2,)))
    assert facts_of(net).reuses_prefix is None
    assert reuses_prefix(net, readout(IDS))


def test_a_mistake_of_ours_is_not_taken_for_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise IndexError("a mistake")

    monkeypatch.setattr(prefix_reuse, "head_entries", broken)
    with pytest.raises(IndexError, match="a mistake"):
        reuses_prefix(tiny("llama"), readout(IDS))


def test_a_cache_that_gives_other_numbers_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefix_reuse, "TOLERANCE", -1.0)
    net = tiny("llama")
    assert not reuses_prefix(net, readout(IDS))
