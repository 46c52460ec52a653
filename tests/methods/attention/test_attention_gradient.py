"""Attention times its gradient: against Chefer et al. with every matrix held, and what is refused."""

import numpy as np
import pytest
import torch
import transformers as hf
from comparisons import model_inputs
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import CAUSAL, MASKED, SIZE, small

import attnscope as ats
from attnscope.errors import InputError, ModelError
from reference import textbook

TEXT = "a b c d e f g a b"
JAPANESE = "<|im_start|>The castle on the hill was old. 熊本県の castle 😀"
OUTSIDE = {"bloom", "falcon", "falcon_alibi", "gptj", "deberta_v2"}


@pytest.mark.parametrize("family", [*CAUSAL, *MASKED])
def test_attention_gradient_is_chefers(family: str) -> None:
    model = small(family)
    inputs = model_inputs(model, TEXT)
    target = model.tokenizer("c")["input_ids"][0]
    expected = textbook.chefer(model.model, inputs, lambda logits: logits[5].log_softmax(-1)[target])[5]
    expected[5] -= 1
    result = ats.explain(model, TEXT, method="attention_gradient", query=5, target="c")
    np.testing.assert_allclose(result.token_scores, expected, atol=2e-4 * float(expected.max()))


def test_attention_gradient_on_real_weights(smollm2: ats.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "The capital of Japan is"
    inputs = model_inputs(smollm2, text)
    with torch.no_grad():
        likely = int(smollm2.model(**inputs).logits[0, -1].argmax())
    expected = textbook.chefer(smollm2.model, inputs, lambda logits: logits[-1].log_softmax(-1)[likely])[-1]
    expected[-1] -= 1
    result = ats.explain(smollm2, text, method="attention_gradient")
    np.testing.assert_allclose(result.token_scores, expected, atol=1e-4 * float(expected.max()))
    assert smollm2.tokenizer.decode([likely]) in result.asked.target
    # Layers that are run again in the backward pass instead of kept give the same.
    monkeypatch.setattr("attnscope.models.gradients.attention_gradients.SAVED_BYTES", 0)
    again = ats.explain(smollm2, text, method="attention_gradient")
    np.testing.assert_allclose(again.token_scores, result.token_scores, atol=1e-5)


@pytest.mark.parametrize("family", ["llama", "bert"])
def test_attention_gradient_of_the_mean_is_chefers_of_all_predictions(family: str) -> None:
    model = small(family)
    result = ats.explain(model, TEXT, method="attention_gradient", query=None)
    inputs = model_inputs(model, TEXT)
    whole = textbook.chefer(model.model, inputs, lambda logits: logits.log_softmax(-1).amax(-1).sum())
    expected = (whole - torch.eye(len(whole))).mean(0).numpy()
    np.testing.assert_allclose(result.token_scores, expected, atol=1e-5 * expected.max())


def test_attention_gradient_of_a_continuation_sums_its_tokens(smollm2: ats.Model) -> None:
    prompt, target = "The capital of Japan is", " Tokyo, of course"
    before, whole = (smollm2.tokenizer(t)["input_ids"] for t in (prompt, prompt + target))
    read = torch.tensor([whole[:-1]])
    at = torch.arange(len(before) - 1, len(whole) - 1)
    expected = textbook.chefer(
        smollm2.model,
        {"input_ids": read},
        lambda logits: logits[at].log_softmax(-1)[torch.arange(len(at)), torch.tensor(whole[len(before) :])].sum(),
    )[at].sum(0)
    expected[at] -= 1
    result = ats.explain(smollm2, prompt, method="attention_gradient", target=target)
    assert [token.text for token in result.tokens][-1] == " is"
    np.testing.assert_allclose(result.token_scores, expected[: len(before)], atol=1e-4 * float(expected.max()))
    assert "' Tokyo, of course'" in result.asked.target
    one = ats.explain(smollm2, prompt, method="attention_gradient", target=" Tokyo")
    at_last = ats.explain(smollm2, prompt, method="attention_gradient", query=-1, target=" Tokyo")
    np.testing.assert_allclose(one.token_scores, at_last.token_scores, atol=1e-5 * one.token_scores.max())
    generated = ats.explain(smollm2, prompt, method="attention_gradient", generate=2, unit="sentence")
    assert "the generation" in generated.asked.target


@pytest.mark.parametrize("kind", ["class", "label of a token", "masked"])
def test_attention_gradient_of_labels_and_masks(kind: str) -> None:
    torch.manual_seed(0)
    name = {"class": "Sequence", "label of a token": "Token", "masked": "MaskedLM"}[kind]
    name = f"BertFor{name}" + ("" if kind == "masked" else "Classification")
    net = getattr(hf, name)(hf.BertConfig(**SIZE | {"num_labels": 3})).eval()
    for parameter in net.parameters():
        parameter.data.mul_(3 if parameter.dim() > 1 else 1)
    tokenizer = copy_tokenizer()
    tokenizer.add_special_tokens({"mask_token": "[MASK]"})
    watch(tokenizer)
    model = ats.Model(net, tokenizer)
    text = "a b [MASK] d e" if kind == "masked" else "a b c d e"
    inputs = model_inputs(model, text)
    position, given = {
        "class": (0, {"target": 2}),
        "label of a token": (3, {"target": 2, "position": 3}),
        "masked": (2, {"target": "a"}),
    }[kind]
    label = tokenizer("a")["input_ids"][0] if kind == "masked" else 2
    expected = textbook.chefer(net, inputs, lambda x: (x if x.dim() == 1 else x[position]).log_softmax(-1)[label])
    row = expected[position]
    row[position] -= 1
    result = ats.explain(model, text, method="attention_gradient", **given)
    np.testing.assert_allclose(result.token_scores, row, atol=2e-4 * float(row.max()))
    assert result.measured.value < 0


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"target": " good day", "against": " bad luck"}, InputError, "explain each by itself"),
        ({"query": 1, "generate": 2}, InputError, "generate does not go with a query"),
        ({"query": 1, "quantity": "loss"}, InputError, "at a query choose from"),
        ({"query": 1, "against": " bad"}, InputError, "give target too"),
        ({"query": 1, "target": ""}, InputError, "gives no tokens"),
    ],
)
def test_attention_gradients_that_cannot_be(
    smollm2: ats.Model, arguments: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        ats.explain(smollm2, "Today is a very", method="attention_gradient", **arguments)


def test_attention_gradient_needs_one_stack() -> None:
    with pytest.raises(ModelError, match="one stack of layers"):
        ats.explain(small("t5"), TEXT, method="attention_gradient", target="a")


def test_attention_gradient_against_itself_is_nothing(smollm2: ats.Model) -> None:
    result = ats.explain(smollm2, "The capital is", method="attention_gradient", target=" the", against=" the")
    assert np.abs(result.token_scores).max() == 0
