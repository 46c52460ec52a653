"""The gradient at a mask on the keys: against autograd through a mask that is laid on eager attention."""

import pytest
import torch
from planted import copy_tokenizer
from tiny_models import tiny
from torch import Tensor

import attnscope as ats
from attnscope.models.gradients.key_masks import key_mask_gradients
from attnscope.models.targets.readout import Readout
from reference import key_mask
from reference.eager import eager_copy

IDS = list(range(3, 14))
DECODER = (0, 5, 9)


def _found(family: str, share: float, masked: list[int]) -> tuple[Tensor, float, Tensor, float]:
    """Ours and the textbook's (token,), and both values."""
    net = tiny(family, sharp=2.0)
    two_stacks = net.config.is_encoder_decoder
    positions, decoder = ((1, 2), DECODER) if two_stacks else ((7, 10), ())
    readout = Readout({"input_ids": IDS}, positions, (5, 9), (1, -1), "log_probability", decoder=decoder)
    found = key_mask_gradients(ats.Model(net, copy_tokenizer()), readout, share, masked)
    net = eager_copy(net)

    def value() -> Tensor:
        more = {"decoder_input_ids": torch.tensor([decoder])} if two_stacks else {}
        logs = net(torch.tensor([IDS]), **more).logits[0].log_softmax(-1)
        return logs[positions[0], 5] - logs[positions[1], 9]

    shares = torch.ones(len(IDS))
    shares[masked] = share
    lengths = [len(IDS), len(decoder)]
    wanted, _ = key_mask.mask_gradient(len(IDS), lengths, value, shares)
    ours = torch.stack([of_heads.sum(0) for of_heads in found.by_layer.values()]).sum(0)
    return ours, found.value, wanted, key_mask.with_mask(shares, lengths, value)[0].item()


@pytest.mark.parametrize("family", ["llama", "mistral", "gemma2", "gpt_oss", "bert", "albert", "gptj", "t5", "bart"])
def test_the_gradient_is_autograds_through_a_mask(family: str) -> None:
    ours, value, wanted, wanted_value = _found(family, 1.0, [])
    torch.testing.assert_close(ours.float(), wanted, atol=2e-5 * float(wanted.abs().max()), rtol=2e-4)
    assert value == pytest.approx(wanted_value, rel=1e-4)


@pytest.mark.parametrize("family", ["llama", "mistral", "gemma2", "gpt_oss", "bert", "t5", "bart"])
def test_so_it_is_where_some_tokens_are_seen_less(family: str) -> None:
    ours, value, wanted, wanted_value = _found(family, 0.3, [1, 2, 5, 8])
    torch.testing.assert_close(ours.float(), wanted, atol=1e-4 * float(wanted.abs().max()), rtol=1e-3)
    assert value == pytest.approx(wanted_value, rel=1e-3)


def test_a_model_that_forms_its_attention_itself_has_no_other_mask() -> None:
    with pytest.raises(ats.errors.ModelError, match="take steps=1"):
        _found("falcon", 0.5, [1])


def test_layers_that_run_again_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    net = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    readout = Readout({"input_ids": IDS}, (7,), (5,), (1,), "log_probability")
    plain = key_mask_gradients(net, readout)
    for name in ("activation_checkpointing", "gradients.key_masks"):
        monkeypatch.setattr(f"attnscope.models.{name}.SAVED_BYTES", 0)
    again = key_mask_gradients(net, readout)
    assert list(plain.by_layer) == list(again.by_layer) == [("self", 2), ("self", 1), ("self", 0)]
    for place, of_heads in plain.by_layer.items():
        torch.testing.assert_close(again.by_layer[place], of_heads)
