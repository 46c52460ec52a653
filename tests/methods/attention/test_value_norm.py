"""Norm-based attention: against vectors that are all formed, and what is missing without a value."""

import numpy as np
import pytest
import torch
from comparisons import model_inputs
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import FAMILIES, HYBRID, hybrid, linear, small

import attnscope as ats
from attnscope.models.attention.layout import checked_stack
from attnscope.models.attention.output_projection import output_projections, per_head
from reference import textbook

TEXT = "a b c d e f g a b"
JAPANESE = "<|im_start|>The castle on the hill was old. 熊本県の castle 😀"
# Models with a gate between attention and projection, and a layer of theirs that attends.
GATED = {"qwen3_next": 7, "qwen3_5": 3}
OUTSIDE = {"bloom", "falcon", "falcon_alibi", "gptj", "deberta_v2"}


@pytest.mark.parametrize("family", ["llama", "mistral", "qwen2", "qwen3"])
def test_value_norm_is_the_norm_of_the_weighed_projected_values(family: str) -> None:
    model = small(family)
    inputs = model_inputs(model, TEXT)
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
    inputs = model_inputs(model, TEXT)
    found = output_projections(model.model, inputs, checked_stack(model.model, None))
    outputs = []
    found[0].module.register_forward_hook(lambda _m, args, out: outputs.append((args[0], out)))
    watch(model.model)
    with torch.no_grad():
        if model.model.config.is_encoder_decoder:
            model.model.get_encoder()(**inputs)
        else:
            model.model(**inputs)
    given, wrote = outputs[0]
    matrix = per_head(model.model, found[0], 4)
    made = torch.einsum("qhd,hde->qe", given[0].reshape(given.shape[1], 4, -1), matrix)
    with torch.no_grad():
        bias = found[0].module(torch.zeros_like(given[:, :1]))[0]
    torch.testing.assert_close(made + bias, wrote[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", ["llama", *sorted(OUTSIDE)])
def test_value_norm_is_what_is_missing_without_a_value(family: str) -> None:
    model = small(family)
    inputs = model_inputs(model, TEXT)
    count = len(inputs["input_ids"][0])
    carried = torch.stack([textbook.zeroed_values(model.model, inputs, 1, j)[1].norm(dim=-1) for j in range(count)], 1)
    few = 1e-4 * float(carried.max())
    one = ats.explain(model, TEXT, method="value_norm", layer=1, query=6)
    np.testing.assert_allclose(one.token_scores, carried[6], atol=few)
    mean = ats.explain(model, [TEXT, "a b c"], method="value_norm", layer=1)[0]
    np.testing.assert_allclose(mean.token_scores, carried.mean(0), atol=few)


def _gated(family: str) -> ats.Model:
    return ats.Model(hybrid(family, 3.0) if family in HYBRID else linear(family), copy_tokenizer())


@pytest.mark.parametrize("family", GATED)
def test_a_gate_before_the_projection_belongs_to_the_value(family: str) -> None:
    model, layer = _gated(family), GATED[family]
    vectors, wrote = textbook.gated_head_outputs(model.model, model_inputs(model, TEXT), layer)
    torch.testing.assert_close(vectors.sum((0, 2)), wrote, atol=1e-5 * float(wrote.abs().max()), rtol=1e-5)
    for head in ("sum", 0, 3):
        norms = (vectors.sum(0) if head == "sum" else vectors[head]).norm(dim=-1)
        few = 1e-5 * float(norms.max())
        for query, expected in ((6, norms[6]), (0, norms[0]), (None, norms.mean(0))):
            options = {"layer": layer, "head": head} | ({} if query is None else {"query": query})
            scores = ats.explain(model, TEXT, method="value_norm", **options).token_scores
            np.testing.assert_allclose(scores, expected, atol=few, rtol=0)


def test_a_gate_is_each_texts_own_in_a_list() -> None:
    model, texts = _gated("qwen3_5"), [TEXT, "a b c", "g f e d c b"]
    together = ats.explain(model, texts, method="value_norm", query=-1)
    for text, result in zip(texts, together, strict=True):
        vectors, _ = textbook.gated_head_outputs(model.model, model_inputs(model, text), 3)
        np.testing.assert_allclose(result.token_scores, vectors.sum(0)[-1].norm(dim=-1), rtol=1e-4)


@pytest.mark.parametrize(("dtype", "few"), [(torch.bfloat16, 0.02), (torch.float16, 0.003)])
def test_a_gate_in_half_precision(dtype: torch.dtype, few: float) -> None:
    model = ats.Model(linear("qwen3_5", dtype=dtype), copy_tokenizer())
    vectors, _ = textbook.gated_head_outputs(model.model, model_inputs(model, TEXT), 3)
    expected = vectors.sum(0)[-1].norm(dim=-1)
    scores = ats.explain(model, TEXT, method="value_norm", query=-1).token_scores
    np.testing.assert_allclose(scores, expected, atol=few * float(expected.max()), rtol=0)
