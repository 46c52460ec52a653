"""What comes next is what the model's own logits say, and what cannot be a target is marked."""

import pytest
import torch
from planted import copy_tokenizer
from tiny_models import small

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.targets.next_tokens import next_log_probabilities, next_tokens, next_with_gradient


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "bloom"])
def test_the_probabilities_are_the_models_own(family: str) -> None:
    model = small(family)
    (encoded,) = encoded_texts(model, "a b c d")
    table = next_log_probabilities(model, encoded.inputs)
    with torch.no_grad():
        logits = model.model(torch.tensor([encoded.inputs["input_ids"]])).logits[0, -1]
    torch.testing.assert_close(table, logits.log_softmax(-1), rtol=1e-4, atol=1e-5)
    found = next_tokens(model, encoded, table, 5)
    assert [token.id for token in found] == logits.topk(5).indices.tolist()
    assert [token.probability for token in found] == pytest.approx(logits.softmax(-1).topk(5).values.tolist(), rel=1e-4)


def test_the_end_of_a_text_and_parts_of_characters_are_no_targets(smollm2: ats.Model) -> None:
    (encoded,) = encoded_texts(smollm2, "Tokyo")
    table = torch.full((smollm2.model.config.vocab_size,), -20.0)
    part = smollm2.tokenizer("説", add_special_tokens=False)["input_ids"][0]
    word = smollm2.tokenizer(" is", add_special_tokens=False)["input_ids"][0]
    table[[part, smollm2.tokenizer.eos_token_id, word]] = torch.tensor([-1.0, -2.0, -3.0])
    found = next_tokens(smollm2, encoded, table, 3)
    assert [token.whole for token in found] == [False, False, True]
    assert found[2].text == " is"


def test_a_model_that_writes_nothing_is_refused() -> None:
    model = ats.Model(small("bert").model, copy_tokenizer())
    (encoded,) = encoded_texts(model, "a b c")
    with pytest.raises(ModelError, match="generate=1"):
        next_with_gradient(model, encoded)
