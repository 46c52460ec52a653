"""Rollout: against the product of all layers, everything held."""

import numpy as np
import pytest
from comparisons import eager
from tiny_models import FAMILIES, small

import attnscope as ats
from attnscope.models.attention import interface
from reference import textbook

TEXT = "a b c d e f g a b"
JAPANESE = "<|im_start|>The castle on the hill was old. 熊本県の castle 😀"
OUTSIDE = {"bloom", "falcon", "falcon_alibi", "gptj", "deberta_v2"}


@pytest.mark.parametrize("family", [f for f in FAMILIES if f != "gpt_oss"])
@pytest.mark.parametrize("heads", ["mean", "max", "min"])
def test_rollout_is_the_product_of_all_layers(family: str, heads: str) -> None:
    model = small(family)
    expected = textbook.rollout(eager(model, TEXT), heads)
    several = ats.explain(model, TEXT, method="rollout", query=[4, -1], heads=heads)
    np.testing.assert_allclose(several[0].token_scores, expected[4], atol=1e-5)
    np.testing.assert_allclose(several[1].token_scores, expected[-1], atol=1e-5)
    mean = ats.explain(model, TEXT, method="rollout", heads=heads)
    np.testing.assert_allclose(mean.token_scores, expected.mean(0), atol=1e-5)


def test_rollout_on_real_weights(smollm2: ats.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = textbook.rollout(eager(smollm2, JAPANESE), residual=0.3)
    result = ats.explain(smollm2, JAPANESE, method="rollout", query="熊本県", residual=0.3)
    tokens = list(result.measured.query_tokens)
    np.testing.assert_allclose(result.token_scores, expected[tokens].mean(0), atol=1e-5)
    assert result.scores.sum() + result.excluded_mass == pytest.approx(1, abs=1e-5)
    monkeypatch.setattr(interface, "BLOCK", 1)
    blockwise = ats.explain(smollm2, JAPANESE, method="rollout", query="熊本県", residual=0.3)
    np.testing.assert_allclose(blockwise.token_scores, result.token_scores, atol=1e-6)


def test_rollout_of_a_lower_layer(minilm: ats.Model) -> None:
    expected = textbook.rollout(eager(minilm, "the castle on the hill")[:3])
    result = ats.explain(minilm, "the castle on the hill", method="rollout", query="castle", layer=2)
    np.testing.assert_allclose(result.token_scores, expected[2], atol=1e-5)
