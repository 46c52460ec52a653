"""Two texts that the model reads together: entailment, scores, choices."""

from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from tiny_models import PASSAGE, QUESTION, joined_pair, pair_reader
from tokenizers_zoo import byte_bpe, tokenizer

import attnscope as ats
from attnscope.errors import InputError, ModelError
from attnscope.models.inputs.encode import encode
from attnscope.text.inputs import Pair


def test_a_pair_is_what_the_model_gets_and_both_texts_are_drawn() -> None:
    model = pair_reader("SequenceClassification", num_labels=3)
    net, inputs = joined_pair(model)
    found = ats.explain(model, QUESTION, "gradient_x_input", text_pair=PASSAGE, target=1)
    with torch.no_grad():
        expected = net(**inputs).logits[0].log_softmax(-1)[1]
    assert found.measured.value == pytest.approx(float(expected), abs=1e-5)
    assert (
        found.measured.value
        != ats.explain(model, f"{QUESTION} [SEP] {PASSAGE}", "gradient_x_input", target=1).measured.value
    )
    assert found.text == f"{QUESTION}\n\n{PASSAGE}"
    assert [w.text for w in found.words] == [*["Is", "the", "castle", "old", "?"], *PASSAGE[:-1].split(), "."]
    assert found.asked.text_pair == PASSAGE
    for token in found.tokens:
        assert token.special or token.text == found.text[token.start : token.end]
    by_text = ats.explain(model, QUESTION, "gradient_x_input", text_pair=PASSAGE, target=1, segments="turns")
    assert list(by_text.asked.segments) == ["text", "text_pair"]
    assert by_text.scores.sum() == pytest.approx(found.scores.sum())


@pytest.mark.parametrize("method", ["attention", "gradient", "deletion", "rollout", "integrated_gradients", "gim"])
def test_several_pairs_are_the_pairs_alone(method: str) -> None:
    model = pair_reader("SequenceClassification", num_labels=3)
    texts, seconds = [QUESTION, "The town"], [PASSAGE, "runs below it"]
    for found, text, second in zip(ats.explain(model, texts, method, text_pair=seconds), texts, seconds, strict=True):
        alone = ats.explain(model, text, method, text_pair=second)
        np.testing.assert_allclose(found.scores, alone.scores, rtol=1e-3, atol=1e-5)


def test_one_output_for_a_pair_is_a_score() -> None:
    model = pair_reader("SequenceClassification", num_labels=1)
    net, inputs = joined_pair(model)
    found = ats.explain(model, QUESTION, "deletion", text_pair=PASSAGE)
    with torch.no_grad():
        assert found.measured.value == pytest.approx(float(net(**inputs).logits[0, 0]), abs=1e-5)
    assert found.asked.quantity == "logit"


def test_a_choice_is_read_by_itself() -> None:
    model = pair_reader("MultipleChoice")
    net, _ = joined_pair(model)
    choices = ["above the town", "below it"]
    inputs = model.tokenizer([QUESTION] * 2, choices, padding=True, truncation=False, return_tensors="pt")
    with torch.no_grad():
        logits = net(**{name: value[None] for name, value in inputs.items()}).logits[0]
    found = ats.explain(model, [QUESTION] * 2, "deletion", text_pair=choices)
    assert [f.measured.value for f in found] == pytest.approx(logits.tolist(), abs=1e-5)


@pytest.mark.parametrize(
    ("text", "asked", "says"),
    [
        (QUESTION, {"text_pair": 3}, "text_pair is of type int"),
        (QUESTION, {"text_pair": ""}, "the text is empty"),
        (QUESTION, {"text_pair": [PASSAGE]}, "text_pair is of type list and one text was given"),
        ([QUESTION, "a"], {"text_pair": [PASSAGE]}, "text_pair has 1 texts and there are 2 first ones"),
        (QUESTION, {"text_pair": PASSAGE, "window": 16}, "window was given with text_pair"),
        ([{"role": "user", "content": "a"}], {"text_pair": PASSAGE}, "a chat was given: leave one out"),
        (QUESTION, {"text_pair": PASSAGE, "target": "castle ruins"}, "'castle ruins' does not stand in the passage"),
    ],
)
def test_what_is_no_pair(text: Any, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        ats.explain(pair_reader("QuestionAnswering"), text, "gradient", **asked)


def test_a_model_that_writes_reads_no_pairs() -> None:
    net = hf.GPT2LMHeadModel(hf.GPT2Config(vocab_size=512, n_embd=16, n_layer=1, n_head=2)).eval()
    with pytest.raises(ModelError, match="puts nothing between two texts"):
        ats.explain(ats.Model(net, byte_bpe()), QUESTION, "gradient", text_pair=PASSAGE)


def test_the_longer_text_of_a_pair_is_cut() -> None:
    model = pair_reader("SequenceClassification", num_labels=2, max_position_embeddings=16)
    with pytest.raises(InputError, match="at most 16 are allowed"):
        ats.explain(model, QUESTION, "gradient", text_pair=PASSAGE)
    found = ats.explain(model, QUESTION, "gradient", text_pair=PASSAGE, truncate=True)
    assert len(found.tokens) <= 16
    assert found.text.startswith(QUESTION + "\n\nThe old")
    assert len(found.text) < len(QUESTION) + len(PASSAGE)


def test_a_slow_tokenizer_reads_pairs_too() -> None:
    slow, fast = (encode(tokenizer(name), Pair(QUESTION, PASSAGE)) for name in ("python_wordpiece", "wordpiece"))
    assert [t for t in slow.tokens if not t.special] == [t for t in fast.tokens if not t.special]
    assert slow.inputs["input_ids"] == fast.inputs["input_ids"]
