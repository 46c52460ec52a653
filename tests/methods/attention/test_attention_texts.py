"""Attention of many texts, of two stacks, and of what was generated."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from comparisons import model_inputs
from tiny_models import small

import attnscope as ats
from attnscope.errors import InputError, QueryError

TEXT = "a b c d e f g a b"
JAPANESE = "<|im_start|>The castle on the hill was old. 熊本県の castle 😀"
OUTSIDE = {"bloom", "falcon", "falcon_alibi", "gptj", "deberta_v2"}


@pytest.mark.parametrize("method", ["attention", "rollout", "value_norm", "attention_gradient"])
def test_many_texts_equal_one_at_a_time(smollm2: ats.Model, method: str) -> None:
    texts = ["The castle on the hill was old.", "熊本県", JAPANESE, "Two words", "The castle on the hill was new."]
    together = ats.explain(smollm2, texts, method=method, query=-1)
    for text, result in zip(texts, together, strict=True):
        alone = ats.explain(smollm2, text, method=method, query=-1)
        assert result.text == text
        np.testing.assert_allclose(
            result.token_scores, alone.token_scores, atol=1e-5 * max(1, alone.token_scores.max())
        )
        assert (result.asked, result.measured.query_tokens) == (alone.asked, alone.measured.query_tokens)


def test_a_wrong_text_of_many_is_named(smollm2: ats.Model) -> None:
    with pytest.raises(InputError, match="text 1 of 2: the text is empty"):
        ats.attention(smollm2, ["good", ""])
    with pytest.raises(QueryError, match="list of queries is empty"):
        ats.attention(smollm2, "good", query=[])


@pytest.mark.parametrize("name", ["t5", "bart"])
@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_an_encoder_decoders_three_kinds_equal_eager(name: str, kind: str) -> None:
    model = small(name)
    net = model.model
    source, target = "a b c d e f g", "d e f"
    inputs = model_inputs(model, source)
    start = net.config.decoder_start_token_id
    decoder = torch.tensor([[start, *model.tokenizer(target)["input_ids"]]])
    reference = deepcopy(net)
    reference.set_attn_implementation("eager")
    with torch.no_grad():
        outputs = reference(**inputs, decoder_input_ids=decoder, output_attentions=True)
    expected = getattr(outputs, "cross_attentions" if kind == "cross" else f"{kind}_attentions")[1][0, 2]
    given = {} if kind == "encoder" else {"target": target}
    result = ats.attention(model, source, layer=1, head=2, query=2, stack=kind, **given)
    np.testing.assert_allclose(result.token_scores, expected[2], atol=1e-5)
    assert result.text == (target if kind == "decoder" else source)
    maps = ats.attention_maps(model, source, stack=kind, **given)
    np.testing.assert_allclose(maps.weights(1, 2), expected, atol=0.008)
    assert maps.query_side.text == (source if kind == "encoder" else target)
    assert maps.key_side.text == (target if kind == "decoder" else source)


def test_generated_tokens_attend_as_they_did_step_by_step(smollm2: ats.Model) -> None:
    """One teacher-forced pass over prompt and generation equals the attention of each step with a cache."""
    prompt = "The three primary colours are"
    reference = deepcopy(smollm2.model)
    reference.set_attn_implementation("eager")
    inputs = smollm2.tokenizer(prompt, return_tensors="pt")
    steps = reference.generate(
        **inputs, max_new_tokens=6, do_sample=False, output_attentions=True, return_dict_in_generate=True,
        pad_token_id=0,
    )  # fmt: skip
    count = inputs["input_ids"].shape[1]
    maps = ats.attention_maps(smollm2, prompt, layers=[7], generate=6, top=0)
    assert maps.key_side.text.startswith(prompt)
    assert maps.measured.continued_at == len(prompt)
    for step, attentions in enumerate(steps.attentions[1:]):
        row = attentions[7][0, 4, 0].numpy()
        query = count + step
        exact = ats.attention(smollm2, prompt, layer=7, head=4, query=query, generate=6)
        np.testing.assert_allclose(exact.token_scores[: query + 1], row, atol=1e-5)
        np.testing.assert_allclose(maps.row(7, 4, query)[: query + 1], row, atol=0.008 * row.max())
