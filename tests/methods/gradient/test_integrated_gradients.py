"""Integrated gradients: against a slow sum, what they add up to, and their baselines."""

from typing import Any

import numpy as np
import pytest
import torch
from comparisons import close, ids
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import small

import attnscope as ats
from attnscope.errors import InputError
from attnscope.models.inputs.encode import encode
from reference import importance as textbook

TEXT = "a b c d e f"


def baselines(model: ats.Model) -> dict[str, torch.Tensor]:
    matrix = model.model.get_input_embeddings().weight.detach()
    return {"zero": torch.zeros(matrix.shape[1]), "mean": matrix.mean(0), "pad": matrix[model.tokenizer.pad_token_id]}


def test_integrated_gradients_is_the_textbook(llama: ats.Model) -> None:
    for baseline, vector in baselines(llama).items():
        expected = textbook.integrated(llama.model, ids(llama, TEXT), ids(llama, "g"), 16, vector)
        asked = {"steps": 16, "rule": "riemann", "baseline": baseline}
        result = ats.explain(llama, TEXT, method="integrated_gradients", target=" g", **asked)
        assert close(result.token_scores, expected)


def test_each_baseline_adds_up_and_scores_itself_nothing(llama: ats.Model) -> None:
    for baseline in baselines(llama):
        result = ats.explain(llama, TEXT, method="integrated_gradients", target=" g", baseline=baseline, steps=64)
        change = result.measured.value - result.measured.baseline_value
        missed = abs(result.scores.sum() - change)
        assert missed == pytest.approx(result.measured.completeness_error, abs=1e-5)
        # An RMSNorm jumps at zero, where steps of any number miss it: why zero is not the default.
        assert (missed < 0.02 * abs(change) + 1e-3) == (baseline != "zero")
    # What is the baseline already has no way to go.
    with_pad = ats.explain(llama, "a [PAD] b", method="integrated_gradients", target=" g", baseline="pad", unit="token")
    pad = next(t for t in with_pad.tokens if t.text == "[PAD]")
    assert pad.score == 0
    assert ats.explain(llama, TEXT, method="integrated_gradients", target=" g").asked.options["baseline"] == "zero"


def test_a_mask_baseline_is_the_masks_embedding(quire: ats.Model) -> None:
    """At the baseline every word is masked: its value is that of a text of masks."""
    text = "He have a dog"
    asked = {"target": "$REPLACE_has", "position": "have", "quantity": "logit"}
    result = ats.explain(quire, text, method="integrated_gradients", baseline="mask", **asked)
    masks = torch.tensor([encode(quire.tokenizer, text).inputs["input_ids"]])
    masks[0, [not t.special for t in result.tokens]] = quire.tokenizer.mask_token_id
    with torch.no_grad():
        logits = quire.model(input_ids=masks).logits[0]
    label = quire.model.config.label2id["$REPLACE_has"]
    assert result.measured.baseline_value == pytest.approx(float(logits[2, label]), abs=1e-3)
    with pytest.raises(ats.AttnscopeError, match="no mask token"):
        ats.explain(small("llama"), TEXT, method="integrated_gradients", baseline="mask")


def test_integrated_gradients_meets_its_tolerance(llama: ats.Model) -> None:
    result = ats.explain(
        llama, TEXT, method="integrated_gradients", target=" g", baseline="mean", steps=2, tolerance=0.001
    )
    change = result.measured.value - result.measured.baseline_value
    assert result.measured.steps > 2
    assert result.scores.sum() == pytest.approx(change, rel=0.0011)
    assert result.measured.completeness_error == pytest.approx(abs(result.scores.sum() - change), abs=1e-5)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=8))
def test_law_integrated_gradients_add_up(letters: list[str]) -> None:
    model = small("gpt2", sharp=2.0)
    result = ats.explain(model, " ".join(letters), method="integrated_gradients", target="k", baseline="mean", steps=64)
    change = result.measured.value - result.measured.baseline_value
    assert result.scores.sum() == pytest.approx(change, rel=0.02, abs=0.02)


# " c d" as a part of the text; and two segments that leave "a b" and "f" out.
CHOSEN: dict[str, dict[str, Any]] = {"within": {"within": (4, 8)}, "segments": {"segments": {"x": (4, 6), "y": (6, 9)}}}


@pytest.mark.parametrize("chosen", CHOSEN)
@pytest.mark.parametrize("method", ["integrated_gradients", "gradient_shap"])
def test_the_chosen_units_alone_go_to_the_baseline(llama: ats.Model, method: str, chosen: str) -> None:
    """Their scores add up to what the target changes when those units alone are the baseline's."""
    own = (
        {"steps": 64, "baseline": "mean"} if method == "integrated_gradients" else {"baselines": "mean", "samples": 512}
    )
    result = ats.explain(llama, TEXT, method=method, target=" g", **own, **CHOSEN[chosen])
    prompt, target = ids(llama, TEXT), ids(llama, "g")
    places = [2, 3] if chosen == "within" else [2, 3, 4]
    mean = baselines(llama)["mean"]
    whole, moved = (textbook.covered(llama.model, prompt, target, at, mean) for at in ([], places))
    assert abs(whole - moved) > 0.1
    assert result.scores.sum() == pytest.approx(whole - moved, rel=0.02)
    assert result.measured.completeness_error == pytest.approx(abs(result.scores.sum() - whole + moved), abs=1e-5)
    assert not np.delete(result.token_scores, places).any()


def test_a_token_of_ones_own_is_a_baseline(llama: ats.Model) -> None:
    """What is that token already has no way to go; a text of several tokens, or unknown, is none."""
    for method in ("integrated_gradients", "gim"):
        found = ats.explain(llama, "a b c", method=method, target=" g", baseline="token:b", unit="token")
        assert found.scores[1] == 0
        assert found.scores[0] != 0
        assert found.asked.options["baseline"] == "token:b"
    for text, count in (("a b", 2), ("castle", 1)):
        with pytest.raises(InputError, match=f"has {count} tokens that the model knows"):
            ats.explain(llama, "a b c", method="gim", target=" g", baseline=f"token:{text}")


def test_the_default_baseline_is_the_mask_token_where_there_is_one(quire: ats.Model) -> None:
    found = ats.explain(quire, "He have a dog", method="integrated_gradients", position="have", steps=2)
    assert found.asked.options["baseline"] == "mask"
