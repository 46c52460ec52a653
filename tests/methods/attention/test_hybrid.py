"""Models that mix attention with convolutions, state spaces or linear attention."""

import numpy as np
import pytest
import torch
from planted import copy_tokenizer
from tiny_models import HYBRID, hybrid, tiny

import attnscope as ats
from attnscope.errors import RangeError
from attnscope.render.content.caption import caption_of
from reference import textbook

TEXT = "a c e g b d f h a c q r s"


@pytest.mark.parametrize("family", HYBRID)
def test_attention_gradient_starts_where_the_target_is_read(family: str) -> None:
    model = ats.Model(hybrid(family, sharp=2.0), copy_tokenizer())
    ids = model.tokenizer(TEXT, return_tensors="pt")["input_ids"]
    (target,) = model.tokenizer("b")["input_ids"]
    expected = textbook.chefer(model.model, {"input_ids": ids}, lambda logits: logits[-1].log_softmax(-1)[target])[-1]
    expected[-1] -= 1
    assert expected.max() > 0
    scores = torch.tensor(ats.explain(model, TEXT, method="attention_gradient", target="b").token_scores).float()
    torch.testing.assert_close(scores, expected, atol=1e-5 * float(expected.max()), rtol=1e-3)


@pytest.mark.parametrize("family", HYBRID)
def test_layers_have_the_models_own_numbers(family: str) -> None:
    model = ats.Model(hybrid(family), copy_tokenizer())
    inputs = {"input_ids": model.tokenizer(TEXT, return_tensors="pt")["input_ids"]}
    attending, count = HYBRID[family][3], model.model.config.num_hidden_layers
    matrices = dict(zip(attending, textbook.eager_attention(model.model, inputs), strict=True))
    for layer, matrix in matrices.items():
        for index in (layer, layer - count):
            scores = ats.explain(model, TEXT, method="attention", layer=index, head=1, query=-1).token_scores
            np.testing.assert_allclose(scores, matrix[0, 1, -1], atol=1e-5)
    maps = ats.attention_maps(model, TEXT)
    assert maps.layers == tuple(attending)
    assert maps.measured.coverage == (len(attending), count)
    assert ats.attention_maps(model, TEXT, layers=attending[-1:]).measured.coverage is None


@pytest.mark.parametrize(("family", "kind"), [("qwen3_next", "linear attention"), ("lfm2", "a convolution")])
def test_a_layer_without_weights_is_named(family: str, kind: str) -> None:
    model = ats.Model(hybrid(family), copy_tokenizer())
    numbers = ", ".join(map(str, HYBRID[family][3]))
    name = type(model.model).__name__
    message = f"layer 2 of {name} is {kind} and has no attention weights; layers with weights: {numbers}"
    for method, options in (("value_norm", {}), ("attention", {"linear": False})):
        with pytest.raises(RangeError) as caught:
            ats.explain(model, TEXT, method=method, layer=2, **options)
        assert str(caught.value) == message
    with pytest.raises(RangeError, match="layer 2 of"):
        ats.attention_maps(ats.Model(hybrid("lfm2"), copy_tokenizer()), TEXT, layers=[2])
    with pytest.raises(RangeError, match=f"0 to {model.model.config.num_hidden_layers - 1}"):
        ats.attention(model, TEXT, layer=99)


@pytest.mark.parametrize("method", ["rollout", "attention_flow", "attention_gradient", "value_zeroing"])
def test_what_follows_attention_through_layers_says_how_many(method: str) -> None:
    model = ats.Model(hybrid("lfm2"), copy_tokenizer())
    text = "a c e g b d"
    result = ats.explain(model, text, method=method, query=-1)
    assert result.measured.coverage == (2, 5)
    note = "Attention was followed through 2 of 5 layers; the others have no attention weights."
    assert note in caption_of(result).notes
    assert ats.attention(model, text, layer="mean", head="mean", query=-1).measured.coverage == (2, 5)
    dense = ats.Model(tiny("llama"), copy_tokenizer())
    assert ats.explain(dense, text, method=method, query=-1).measured.coverage is None


def test_a_chain_begins_in_any_layer_above_attention() -> None:
    model = ats.Model(hybrid("lfm2"), copy_tokenizer())
    inputs = {"input_ids": model.tokenizer(TEXT, return_tensors="pt")["input_ids"]}
    expected = textbook.rollout([matrix[0] for matrix in textbook.eager_attention(model.model, inputs)[:1]])
    result = ats.explain(model, TEXT, method="rollout", layer=2, query=-1)
    np.testing.assert_allclose(result.token_scores, expected[-1], atol=1e-5)
    assert result.measured.coverage == (1, 3)
    with pytest.raises(RangeError, match="layer 0 of"):
        ats.explain(model, TEXT, method="rollout", layer=0)
    zeroed = ats.explain(model, "a c e g", method="value_zeroing", layer=3, query=-1)
    assert zeroed.measured.coverage is None
    assert zeroed.asked.options["layer"] == 3


@pytest.mark.parametrize("method", ["attention", "value_norm", "rollout"])
def test_the_last_layer_is_the_last_that_has_weights(method: str) -> None:
    model = ats.Model(hybrid("lfm2"), copy_tokenizer())
    last = HYBRID["lfm2"][3][-1]
    assert last < model.model.config.num_hidden_layers - 1
    chosen = ats.explain(model, TEXT, method=method, query=-1, layer=last)
    np.testing.assert_array_equal(ats.explain(model, TEXT, method=method, query=-1).scores, chosen.scores)
