"""Attention flow: against a maximum flow by hand."""

import pytest
from comparisons import eager
from tiny_models import small

import attnscope as ats
from attnscope.errors import InputError
from reference import textbook

TEXT = "a b c d e f g a b"
JAPANESE = "<|im_start|>The castle on the hill was old. 熊本県の castle 😀"
OUTSIDE = {"bloom", "falcon", "falcon_alibi", "gptj", "deberta_v2"}


@pytest.mark.parametrize("family", ["llama", "bert", "gptj"])
def test_attention_flow_is_the_maximum_flow(family: str) -> None:
    model = small(family)
    layers = eager(model, "a b c d e")
    result = ats.explain(model, "a b c d e", method="attention_flow", query=3)
    for key in range(5):
        assert result.token_scores[key] == pytest.approx(textbook.flow_to(layers, 3, key), abs=1e-5)
    assert (result.token_scores <= 1 + 1e-9).all()


@pytest.mark.parametrize("family", ["llama", "bert"])
def test_the_flow_to_a_unit_is_that_to_its_tokens_together(family: str) -> None:
    """No more than 1, and less than the sum of its tokens' flows where these share paths."""
    model = small(family)
    segments = {"first": (0, 3), "rest": (4, 9)}
    found = ats.explain(model, "a b c d e", method="attention_flow", query=4, segments=segments)
    layers = eager(model, "a b c d e")
    for word, keys in zip(found.words, ((0, 1), (2, 3, 4)), strict=True):
        assert word.score == pytest.approx(textbook.flow_to(layers, 4, *keys), abs=1e-5)
        assert word.score <= 1 + 1e-9
    assert found.scores.sum() < found.token_scores.sum() - 0.01


def test_attention_flow_refuses_long_texts(smollm2: ats.Model) -> None:
    with pytest.raises(InputError, match=r"at most 44 tokens.*rollout"):
        ats.explain(smollm2, "word " * 100, method="attention_flow")
