"""Attention rows equal the model's own eager attention, for every family, with and without padding."""

import inspect
import sys

import pytest
import torch
import transformers as hf
from captured import mixed_rows
from snapshot import watch
from tiny_models import FAMILIES, tiny

import attnscope as ats
from attnscope.models.attention import interface as attention
from attnscope.models.attention.layout import attention_layout
from attnscope.models.inputs.batching import tensors
from attnscope.models.inputs.encode import encode
from reference.textbook import eager_attention


def outside_the_interface(net: hf.PreTrainedModel) -> bool:
    """Whether the family's code forms its attention itself, in the transformers that is there."""
    return "ALL_ATTENTION_FUNCTIONS" not in inspect.getsource(sys.modules[type(net).__module__])


def padded(net: hf.PreTrainedModel, side: str, length: int = 20) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    ids = torch.randint(3, 64, (3, length))
    mask = torch.ones_like(ids)
    if side == "right":
        mask[1, 12:] = mask[2, 5:] = 0
    if side == "left":
        mask[1, :8] = mask[2, :15] = 0
    pad = net.config.pad_token_id or 0
    return {"input_ids": ids.masked_fill(mask == 0, pad), "attention_mask": mask}


@pytest.mark.parametrize("side", ["none", "right", "left"])
@pytest.mark.parametrize("family", FAMILIES)
def test_rows_equal_eager(family: str, side: str) -> None:
    net = tiny(family)
    inputs = padded(net, side)
    full = eager_attention(net, inputs)
    mask = inputs["attention_mask"]
    one = torch.zeros(mask.shape)
    one[range(3), [int(m.nonzero().max()) for m in mask]] = 1
    mean = mask / mask.sum(1, keepdim=True)
    for weights in (one, mean):
        rows = mixed_rows(net, inputs, weights, range(len(full)))
        for i, expected in enumerate(full):
            torch.testing.assert_close(
                rows[i], torch.einsum("bhqk,bq->bhk", expected, weights), atol=1e-5, rtol=0, msg=f"layer {i}"
            )
    assert bool(attention_layout(net, inputs).hooked) == outside_the_interface(net)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_row_of_a_layer(family: str) -> None:
    """Not only mixes: each query's own row, so that two errors cannot cancel."""
    net = tiny(family)
    inputs = {name: value[:1] for name, value in padded(net, "none", 11).items()}
    expected = eager_attention(net, inputs)[1][0]
    copies = {name: value.expand(11, -1) for name, value in inputs.items()}
    rows = mixed_rows(net, copies, torch.eye(11), [1])[1]
    torch.testing.assert_close(rows.transpose(0, 1), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_blocks_do_not_show(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = tiny(family)
    inputs = padded(net, "right")
    weights = inputs["attention_mask"] / inputs["attention_mask"].sum(1, keepdim=True)
    whole = mixed_rows(net, inputs, weights, [0, 2])
    monkeypatch.setattr(attention, "BLOCK", 1)
    blockwise = mixed_rows(net, inputs, weights, [0, 2])
    for layer in (0, 2):
        torch.testing.assert_close(blockwise[layer], whole[layer], atol=1e-6, rtol=0)


TEXTS = [
    "The castle on the hill was built in 1607; nobody had seen it since.",
    "熊本県について説明してください。😀 The end.",
    " leading\tand trailing \n\n",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", ["smollm2", "minilm"])
def test_real_models_equal_eager(name: str, text: str, request: pytest.FixtureRequest) -> None:
    _equal_eager(request.getfixturevalue(name), text)


def test_rxnmapper_equals_eager(rxnmapper: ats.Model) -> None:
    _equal_eager(rxnmapper, "CC(=O)Cl.OCC>>CC(=O)OCC")


def _equal_eager(model: ats.Model, text: str) -> None:
    inputs = tensors(model.model, encode(model.tokenizer, text).inputs)
    full = eager_attention(model.model, inputs)
    count = inputs["input_ids"].shape[1]
    last = torch.zeros(1, count)
    last[0, -1] = 1
    for weights in (last, torch.full((1, count), 1 / count)):
        rows = mixed_rows(model.model, inputs, weights, range(len(full)))
        for i, expected in enumerate(full):
            mixed = torch.einsum("bhqk,bq->bhk", expected, weights)
            torch.testing.assert_close(rows[i], mixed, atol=1e-5, rtol=0)


def test_half_precision_stays_close() -> None:
    net = tiny("llama").to(torch.bfloat16)
    watch(net)
    inputs = padded(net, "none")
    weights = torch.full((3, 20), 1 / 20)
    expected = torch.einsum("bhqk,bq->bhk", eager_attention(net, inputs)[2].float(), weights)
    assert (mixed_rows(net, inputs, weights, [2])[2] - expected).abs().max() < 1e-2


def test_the_model_comes_back_after_an_interrupt() -> None:
    net = tiny("llama")
    inputs = padded(net, "none")
    attention_layout(net, inputs)
    net.train()
    watch(net)
    hooks = sum(len(m._forward_hooks) for m in net.modules())

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    handle = net.model.layers[1].register_forward_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        mixed_rows(net, inputs, torch.full((3, 20), 1 / 20), [2])
    handle.remove()
    assert net.config._attn_implementation == "sdpa"
    assert net.training
    assert all(p.requires_grad for p in net.parameters())
    assert sum(len(m._forward_hooks) for m in net.modules()) == hooks
    assert not attention._watchers
