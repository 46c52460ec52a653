"""Attention followed through layers and values: against textbook versions that hold everything, and laws."""

import numpy as np
import pytest
import torch
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import CAUSAL, FAMILIES, MASKED, SIZE, tiny

import attnscope as ats
from attnscope.errors import InputError, ModelError, QueryError
from attnscope.models.attention import interface
from attnscope.models.inputs.batching import tensors
from attnscope.models.inputs.encode import encode
from reference import textbook

TEXT = "a b c d e f g a b"
JAPANESE = "<|im_start|>The castle on the hill was old. 熊本県の castle 😀"
OUTSIDE = {"bloom", "falcon", "falcon_alibi", "gptj", "deberta_v2"}


def small(family: str) -> ats.Model:
    return ats.Model(tiny(family, sharp=3), copy_tokenizer())


def eager(model: ats.Model, text: str) -> list[torch.Tensor]:
    inputs = tensors(model.model, encode(model.tokenizer, text).inputs)
    return [layer[0] for layer in textbook.eager_attention(model.model, inputs)]


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
    result = ats.explain(smollm2, JAPANESE, method="rollout", query="本県", residual=0.3)
    tokens = list(result.measured.query_tokens)
    np.testing.assert_allclose(result.token_scores, expected[tokens].mean(0), atol=1e-5)
    assert result.scores.sum() + result.excluded_mass == pytest.approx(1, abs=1e-5)
    monkeypatch.setattr(interface, "BLOCK", 1)
    blockwise = ats.explain(smollm2, JAPANESE, method="rollout", query="本県", residual=0.3)
    np.testing.assert_allclose(blockwise.token_scores, result.token_scores, atol=1e-6)


def test_rollout_of_a_lower_layer(minilm: ats.Model) -> None:
    expected = textbook.rollout(eager(minilm, "the castle on the hill")[:3])
    result = ats.explain(minilm, "the castle on the hill", method="rollout", query="castle", layer=2)
    np.testing.assert_allclose(result.token_scores, expected[2], atol=1e-5)


@pytest.mark.parametrize("family", [*CAUSAL, *MASKED])
def test_attention_gradient_is_chefers(family: str) -> None:
    model = small(family)
    inputs = tensors(model.model, encode(model.tokenizer, TEXT).inputs)
    target = model.tokenizer("c")["input_ids"][0]
    expected = textbook.chefer(model.model, inputs, lambda logits: logits[5].log_softmax(-1)[target])[5]
    expected[5] -= 1
    result = ats.explain(model, TEXT, method="attention_gradient", query=5, target="c")
    np.testing.assert_allclose(result.token_scores, expected, atol=2e-4 * float(expected.max()))


def test_attention_gradient_on_real_weights(smollm2: ats.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "The capital of Japan is"
    inputs = tensors(smollm2.model, encode(smollm2.tokenizer, text).inputs)
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
    inputs = tensors(model.model, encode(model.tokenizer, TEXT).inputs)
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
    import transformers as hf

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
    inputs = tensors(net, encode(tokenizer, text).inputs)
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


@pytest.mark.parametrize("family", ["llama", "mistral", "qwen2", "qwen3"])
def test_value_norm_is_the_norm_of_the_weighed_projected_values(family: str) -> None:
    model = small(family)
    inputs = tensors(model.model, encode(model.tokenizer, TEXT).inputs)
    projected, weights, heads = textbook.head_outputs(model.model, inputs, 1)
    vectors = torch.einsum("hqk,hke->hqke", weights, projected)
    for head in range(heads):
        result = ats.explain(model, TEXT, method="value_norm", layer=1, head=head, query=6)
        expected = vectors[head, 6].norm(dim=-1)
        np.testing.assert_allclose(result.token_scores, expected, atol=1e-4 * float(expected.max()))
    summed = vectors.sum(0).norm(dim=-1)
    one = ats.explain(model, TEXT, method="value_norm", layer=1, query=6)
    np.testing.assert_allclose(one.token_scores, summed[6], atol=1e-4 * float(summed[6].max()))
    mean = ats.explain(model, TEXT, method="value_norm", layer=1)
    np.testing.assert_allclose(mean.token_scores, summed.mean(0), atol=1e-4 * float(summed.mean(0).max()))


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_value_norm_of_one_head_adds_up_to_the_models_own_output(family: str) -> None:
    """The law behind it: a lone token's norm is that of what the layer writes, less the projection's bias."""
    model = small(family)
    from attnscope.models.attention.layout import checked_stack
    from attnscope.models.attention.output_projection import output_projections, per_head

    inputs = tensors(model.model, encode(model.tokenizer, TEXT).inputs)
    found = output_projections(model.model, inputs, checked_stack(model.model, None))
    outputs = []
    found[0].register_forward_hook(lambda _m, args, out: outputs.append((args[0], out)))
    watch(model.model)
    with torch.no_grad():
        if model.model.config.is_encoder_decoder:
            model.model.get_encoder()(**inputs)
        else:
            model.model(**inputs)
    given, wrote = outputs[0]
    matrix = per_head(found[0], 4)
    made = torch.einsum("qhd,hde->qe", given[0].reshape(given.shape[1], 4, -1), matrix)
    with torch.no_grad():
        bias = found[0](torch.zeros_like(given[:, :1]))[0]
    torch.testing.assert_close(made + bias, wrote[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", ["llama", *sorted(OUTSIDE)])
def test_value_norm_is_what_is_missing_without_a_value(family: str) -> None:
    model = small(family)
    inputs = tensors(model.model, encode(model.tokenizer, TEXT).inputs)
    count = len(inputs["input_ids"][0])
    carried = torch.stack([textbook.zeroed_values(model.model, inputs, 1, j)[1].norm(dim=-1) for j in range(count)], 1)
    few = 1e-4 * float(carried.max())
    one = ats.explain(model, TEXT, method="value_norm", layer=1, query=6)
    np.testing.assert_allclose(one.token_scores, carried[6], atol=few)
    mean = ats.explain(model, [TEXT, "a b c"], method="value_norm", layer=1)[0]
    np.testing.assert_allclose(mean.token_scores, carried.mean(0), atol=few)


@pytest.mark.parametrize("method", ["value_norm", "value_zeroing"])
def test_values_that_cannot_be_seen_are_refused_by_name(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that multiplies weights and values with what attnscope does not know."""
    monkeypatch.setattr("attnscope.models.attention.eager_hook.SoftmaxInterceptor._PRODUCTS", ())
    with pytest.raises(ModelError, match=r"BloomForCausalLM.*value vectors cannot"):
        ats.explain(small("bloom"), TEXT, method=method)
    assert len(ats.attention(small("bloom"), TEXT).words)


@pytest.mark.parametrize("family", ["llama", "mistral", "qwen3", *sorted(OUTSIDE)])
def test_value_zeroing_is_the_change_without_the_value(family: str) -> None:
    model = small(family)
    inputs = tensors(model.model, encode(model.tokenizer, TEXT).inputs)
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


@pytest.mark.parametrize("family", ["llama", "bert", "gptj"])
def test_attention_flow_is_the_maximum_flow(family: str) -> None:
    model = small(family)
    layers = eager(model, "a b c d e")
    result = ats.explain(model, "a b c d e", method="attention_flow", query=3)
    for key in range(5):
        assert result.token_scores[key] == pytest.approx(textbook.flow_to(layers, 3, key), abs=1e-5)
    assert (result.token_scores <= 1 + 1e-9).all()


def test_attention_flow_refuses_long_texts(smollm2: ats.Model) -> None:
    with pytest.raises(InputError, match=r"at most 44 tokens.*rollout"):
        ats.explain(smollm2, "word " * 100, method="attention_flow")


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
    inputs = tensors(net, encode(model.tokenizer, source).inputs)
    start = net.config.decoder_start_token_id
    decoder = torch.tensor([[start, *model.tokenizer(target)["input_ids"]]])
    from copy import deepcopy

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
    from copy import deepcopy

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
