"""Gradient × input: against autograd, of contrasts and of units."""

import pytest
import torch
from comparisons import close, ids

import attnscope as ats
from reference import importance as textbook

TEXT = "a b c d e f"


def test_gradient_x_input_is_the_textbook(llama: ats.Model) -> None:
    prompt, target = ids(llama, TEXT), ids(llama, "g h")
    vectors = textbook.gradient(llama.model, prompt, target)
    here = llama.model.get_input_embeddings()(torch.tensor(prompt)).detach()
    result = ats.explain(llama, TEXT, method="gradient_x_input", target=" g h")
    assert close(result.token_scores, (vectors * here).sum(-1).numpy())
    assert result.signed


def test_a_contrast_is_the_difference_of_its_sides(llama: ats.Model) -> None:
    for other in (" h", " h k"):  # one token: one pass for both; two: a pass each
        both = ats.explain(llama, TEXT, method="gradient_x_input", target=" g", against=other)
        one, two = (ats.explain(llama, TEXT, method="gradient_x_input", target=t) for t in (" g", other))
        assert close(both.scores, one.scores - two.scores)
        assert both.measured.value == pytest.approx(one.measured.value - two.measured.value, rel=1e-4)


@pytest.mark.parametrize("unit", ["token", "sentence"])
def test_units(llama: ats.Model, unit: str) -> None:
    text = "a b . c d"
    summed = ats.explain(llama, text, method="gradient_x_input", target=" g", unit=unit)
    tokens = ats.explain(llama, text, method="gradient_x_input", target=" g").token_scores
    assert [w.text for w in summed.words] == (["a", "b", ".", "c", "d"] if unit == "token" else ["a b .", "c d"])
    assert summed.scores.sum() == pytest.approx(tokens.sum())
