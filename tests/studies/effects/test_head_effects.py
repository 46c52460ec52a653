"""`ats.head_effects`: estimates and exact effects of all heads."""

from typing import Any

import numpy as np
import pytest
from planted import copy_tokenizer
from snapshot import forget_all
from tiny_models import hybrid, small
from torch import nn

import attnscope as ats
from attnscope.errors import InputError
from attnscope.models.intervention import passes

TEXT = "a b c d e f"


@pytest.mark.parametrize("how", ["zero", "mean", "resample"])
@pytest.mark.parametrize("target", [{"target": " g h"}, {"target": " g", "against": " h i"}, {}])
def test_exact_effects_are_knock_outs(target: dict[str, Any], how: Any) -> None:
    model = small("llama")
    found = ats.head_effects(model, TEXT, **target, how=how, exact="all", samples=3)
    assert found.known.all()
    for row, head in ((0, 1), (2, 3)):
        alone = ats.knock_out(model, TEXT, **target, how=how, heads=[(row, head)], samples=3)
        assert found.effect[row, head] == pytest.approx(alone.effect, abs=2e-5)
    assert found.values[0] == pytest.approx(alone.before, abs=1e-5)


def test_an_estimate_is_the_effect_where_the_target_is_linear_in_the_heads() -> None:
    """The last layer's heads of a model without anything behind them but a projection to the logits."""
    model = small("gpt2")
    block: Any = model.model.transformer.h[-1]
    block.mlp.c_proj.weight.data.zero_()
    block.mlp.c_proj.bias.data.zero_()
    model.model.transformer.ln_f = nn.Identity()
    forget_all()
    found = ats.head_effects(model, TEXT, " g", quantity="logit", exact="all")
    np.testing.assert_allclose(found.estimate[2], found.effect[2], atol=1e-4)
    assert np.abs(found.effect[2]).min() > 1e-4


def test_the_strongest_estimates_are_taken_exactly() -> None:
    found = ats.head_effects(small("llama"), TEXT, " g", exact=4)
    assert found.known.sum() == 4
    assert np.abs(found.estimate[found.known]).min() >= np.abs(found.estimate[~found.known]).max()
    assert "the 4 of 12 heads with the strongest estimates" in found.agreement()
    assert not ats.head_effects(small("llama"), TEXT, " g", exact=0).known.any()


def test_several_texts_have_means_and_intervals() -> None:
    model = small("llama")
    texts = [TEXT, "x y z", "k l m n"]
    found = ats.head_effects(model, texts, [" g", " h", " i"], exact=3)
    each = [
        ats.head_effects(model, text, target, exact=0) for text, target in zip(texts, [" g", " h", " i"], strict=True)
    ]
    np.testing.assert_allclose(found.estimate, np.mean([one.estimate for one in each], 0), atol=1e-5)
    low, high = found.intervals()
    known = found.known
    assert (low[known] < high[known]).all()
    assert ((low <= found.effect) & (found.effect <= high))[known].all()
    assert ats.head_effects(model, texts, " g", exact=0).targets == ("log-probability of ' g'",) * 3


def test_layers_without_attention_have_no_heads() -> None:
    model = ats.Model(hybrid("qwen3_next"), copy_tokenizer())
    found = ats.head_effects(model, TEXT, " g", exact=2)
    assert found.layers == (3, 7)


@pytest.mark.parametrize("stack", ["encoder", "decoder", "cross"])
def test_each_stack_of_an_encoder_decoder(stack: Any) -> None:
    model = small("bart")
    found = ats.head_effects(model, TEXT, "g h", stack=stack, exact="all")
    alone = ats.knock_out(model, TEXT, target="g h", heads=[(1, 2)], stack=stack)
    assert found.effect[1, 2] == pytest.approx(alone.effect, abs=1e-5)
    # No embedding of the text leads to a decoder's first layer, and yet it has a gradient.
    assert np.abs(found.estimate).min() > 0


def test_what_lies_below_a_layer_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    own = passes.begun_at

    def counted(layers: Any, first: int, *given: Any) -> Any:
        begun.append(first)
        return own(layers, first, *given)

    monkeypatch.setattr(passes, "begun_at", counted)
    ats.head_effects(small("llama"), TEXT, " g", exact="all")
    assert {1, 2} <= set(begun)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"exact": -1}, "give how many heads"),
        ({"exact": "some"}, "give how many heads"),
        ({"how": "noise"}, "zero, mean, resample"),
        ({"samples": 0}, "whole number above 0"),
        ({"references": ["x y"]}, 'how="mean" or "resample"'),
        ({"text": []}, "the list of texts is empty"),
        ({"text": [TEXT, TEXT], "target": [" g"]}, "1 values of target were given for 2 texts"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        ats.head_effects(small("llama"), **({"text": TEXT, "target": " g"} | asked))
