"""Value zeroing: against zeroing each value by hand, in batches and where values cannot be seen."""

import numpy as np
import pytest
import torch
from comparisons import model_inputs
from tiny_models import CAUSAL, FAMILIES, small

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.methods.attention.value_zeroing import cosine_distance
from reference import textbook

TEXT = "a b c d e f g a b"
JAPANESE = "<|im_start|>The castle on the hill was old. 熊本県の castle 😀"
OUTSIDE = {"bloom", "falcon", "falcon_alibi", "gptj", "deberta_v2"}


@pytest.mark.parametrize("family", ["llama", "mistral", "qwen3", *sorted(OUTSIDE)])
def test_value_zeroing_is_the_change_without_the_value(family: str) -> None:
    model = small(family)
    inputs = model_inputs(model, TEXT)
    count = len(inputs["input_ids"][0])
    layers = []
    for layer in range(3):
        changes = torch.stack([textbook.zeroed_values(model.model, inputs, layer, j)[0] for j in range(count)], 1)
        layers.append(changes / changes.sum(1, keepdim=True))
    result = ats.explain(model, TEXT, method="value_zeroing", layer=1, query=6)
    np.testing.assert_allclose(result.token_scores, layers[1][6], atol=1e-5)
    expected = layers[2] @ layers[1] @ layers[0]
    rolled = ats.explain(model, TEXT, method="value_zeroing", query=[6, 2])
    np.testing.assert_allclose(rolled[0].token_scores, expected[6], atol=1e-5)
    np.testing.assert_allclose(rolled[1].token_scores, expected[2], atol=1e-5)
    if family in CAUSAL:
        assert result.token_scores[7:].sum() < 1e-12  # the rounding of a cosine


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_value_zeroing_runs_every_family_in_batches(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small(family)
    whole = ats.explain(model, TEXT, method="value_zeroing")
    assert whole.token_scores.sum() == pytest.approx(1, abs=1e-5)
    monkeypatch.setattr("attnscope.models.attention.rerun_layers.BUDGET", 20)
    np.testing.assert_allclose(
        ats.explain(model, TEXT, method="value_zeroing").token_scores, whole.token_scores, atol=1e-5
    )


@pytest.mark.parametrize("method", ["value_norm", "value_zeroing"])
def test_values_that_cannot_be_seen_are_refused_by_name(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that multiplies weights and values with what attnscope does not know."""
    monkeypatch.setattr("attnscope.models.attention.eager_hook.SoftmaxInterceptor._PRODUCTS", ())
    with pytest.raises(ModelError, match=r"BloomForCausalLM.*value vectors cannot"):
        ats.explain(small("bloom"), TEXT, method=method)
    assert len(ats.attention(small("bloom"), TEXT).words)


def test_the_cosine_distance() -> None:
    output = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]])
    without = torch.tensor([[[2.0, 0.0], [0.0, 3.0], [-1.0, -1.0]]])
    assert cosine_distance(without, output).tolist() == [[0.0, 1.0, pytest.approx(2.0)]]
