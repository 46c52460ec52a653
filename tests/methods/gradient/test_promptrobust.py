"""PromptRobust's two scores, against an independent program of their definition."""

import pytest
from planted import copy_tokenizer
from tiny_models import tiny

import attnscope as ats
from reference import promptrobust


def test_attention_by_gradient_on_real_words_of_several_tokens(smollm2: ats.Model) -> None:
    prompt = "Classify the unforgettableness of the wondrously grotesque movie review"
    ours = ats.explain(smollm2, prompt, "gradient", preset="promptrobust", target=" negative feelings", quantity="loss")
    theirs = promptrobust.by_gradient(smollm2.model, smollm2.tokenizer, prompt, " negative feelings")
    assert [w.text for w in ours.words] == prompt.split()
    assert any(len(smollm2.tokenizer.tokenize(" " + word)) > 1 for word in prompt.split())
    assert ours.scaled == pytest.approx(theirs, abs=2e-4)
    assert prompt.split().count("the") == 2
    the = [w.score for w in ours.words if w.text == "the"]
    assert the[0] != the[1], "words that come twice keep scores of their own"


@pytest.mark.parametrize("prompt", ["a b c d e f", "a b a c b a d", "z y"])
def test_attention_by_deletion(prompt: str) -> None:
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    ours = ats.explain(model, prompt, method="deletion", target=" g h", quantity="loss")
    theirs = promptrobust.by_deletion(model.model, model.tokenizer, prompt, "g h")
    assert ours.scaled == pytest.approx(theirs, abs=1e-4)
