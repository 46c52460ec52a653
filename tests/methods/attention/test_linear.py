"""Rows of linear attention: those of the recurrence as its papers write it, signed and named as what they are."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from planted import copy_tokenizer
from tiny_models import LINEAR, hybrid, small_linear, tiny

import attnscope as ats
from attnscope.errors import InputError, ModelError, RangeError
from attnscope.render.content.caption import caption_of
from reference.linear import linear_matrices
from reference.textbook import eager_attention

TEXT = "a c e g b d f h a c q r s"
MANY = [TEXT, "a b", "q r s a b c d"]
MECHANISMS = {
    "qwen3_next": "gated delta rule",
    "kimi_linear": "Kimi delta attention",
    "mamba2": "Mamba 2",
    "zamba2": "Mamba 2",
    "minimax": "lightning attention",
}

model_of = cache(small_linear)


@cache
def expected(family: str) -> dict[int, np.ndarray]:
    """Of each layer (head, query, key)."""
    model = model_of(family)
    inputs = {"input_ids": model.tokenizer(TEXT, return_tensors="pt")["input_ids"]}
    matrices = linear_matrices(model.model, inputs)
    return {layer: matrix[0].numpy() for layer, matrix in zip(LINEAR[family][3], matrices, strict=True)}


@pytest.mark.parametrize("family", MECHANISMS)
def test_a_row_is_the_papers_and_says_what_it_is(family: str) -> None:
    for layer, matrix in expected(family).items():
        size = np.abs(matrix).max()
        last = ats.attention(model_of(family), TEXT, layer=layer, head=1, query=-1, linear=True)
        np.testing.assert_allclose(last.token_scores, matrix[1, -1], rtol=1e-4, atol=1e-5 * size)
        mean = ats.attention(model_of(family), TEXT, layer=layer, head="mean", linear=True, unit="token")
        np.testing.assert_allclose(mean.token_scores, matrix.mean(0).mean(0), rtol=1e-4, atol=1e-5 * size)
        largest = ats.attention(model_of(family), TEXT, layer=layer, head="max", query=-1, linear=True)
        row = matrix[:, -1]
        strongest = np.take_along_axis(row, np.abs(row).argmax(0)[None], 0)[0]
        np.testing.assert_allclose(largest.token_scores, strongest, rtol=1e-4, atol=1e-5 * size)
    assert last.signed
    assert last.scores.min() < 0 < last.scores.max()
    assert last.excluded_mass is None
    assert last.measured.mechanism == MECHANISMS[family]
    assert last.measured.rebuilt is not None
    assert last.measured.rebuilt < 1e-5
    assert last.asked.options == {"layer": layer, "head": 1, "linear": True}
    assert caption_of(last).title.startswith("Linear attention")
    assert ats.Attribution.from_json(last.to_json()) == last


@pytest.mark.parametrize("family", ["qwen3_next", "mamba2", "falcon_h1"])
def test_maps_are_the_papers_and_signed(family: str, tmp_path: Path) -> None:
    model = model_of(family)
    maps = ats.attention_maps(model, TEXT, linear=True, top=3)
    assert (maps.signed, maps.layers) == (True, tuple(LINEAR[family][3]))
    assert maps.measured.mechanism
    assert maps.measured.rebuilt is not None
    assert maps.measured.rebuilt < 1e-5
    assert ats.attention_maps(model, TEXT).signed == (family == "mamba2")
    shown = [i for i, token in enumerate(maps.query_side.tokens) if not token.special]
    maps.save(tmp_path / "maps.safetensors")
    ats.save(maps, tmp_path / "maps.json")
    for layer, matrix in expected(family).items():
        for head in (0, -1):
            truth = matrix[head]
            sizes = np.abs(truth)
            error = np.abs(maps.weights(layer, head) - truth)
            assert (error <= 0.0085 * sizes.max(-1, keepdims=True) + 1e-9).all()
            shares = sizes / sizes.sum(-1, keepdims=True)
            np.testing.assert_allclose(maps.received(layer, head), shares[shown].mean(0), atol=1e-4)
            at = maps.layers.index(layer), head
            negative = (shares * (truth < 0)).sum(-1)[shown].mean()
            np.testing.assert_allclose(maps.statistics["negative"][at], negative, atol=1e-4)
            best = sizes[-1].argmax()
            assert maps.statistics["top_keys"][at][-1, 0] == best
            np.testing.assert_allclose(maps.statistics["top_weights"][at][-1, 0], truth[-1, best], rtol=1e-3)
    words = maps.words().weights(maps.layers[0], 0)
    assert words.min() < 0
    for loaded in (ats.load_result(tmp_path / "maps.safetensors"), ats.load_result(tmp_path / "maps.json")):
        assert isinstance(loaded, ats.AttentionMaps)
        assert loaded.signed
        np.testing.assert_allclose(loaded.weights(-1, 0), maps.weights(-1, 0), rtol=0.02, atol=1e-3)


def test_maps_of_two_sorts_are_two_results() -> None:
    model = model_of("qwen3_next")
    assert ats.attention_maps(model, TEXT).layers == (3, 7)
    assert ats.attention_maps(model, TEXT, layers=[0, -2]).layers == (0, 6)
    ends_otherwise = model_of("bamba")
    assert ats.attention_maps(ends_otherwise, TEXT, layers=[-1]).layers == (1,)
    assert ats.attention_maps(ends_otherwise, TEXT, layers=[-1], linear=True).layers == (3,)
    chosen = ats.attention_maps(model, TEXT, layers=[0], heads=[2, 3], queries=[-1]).codes
    assert chosen is not None
    assert chosen.shape == (1, 2, 1, 13)
    for several, text in zip(ats.attention_maps(model, MANY, layers=[4]), MANY, strict=True):
        alone = ats.attention_maps(model, text, layers=[4])
        np.testing.assert_allclose(several.weights(4, 1), alone.weights(4, 1), atol=0.01)
    with pytest.raises(RangeError, match="layer 3 has attention weights and layer 0 linear attention, whose maps are"):
        ats.attention_maps(model, TEXT, layers=[0, 3])
    with pytest.raises(RangeError, match="layer 3 of Qwen3NextForCausalLM has no linear attention"):
        ats.attention_maps(model, TEXT, layers=[3], linear=True)
    with pytest.raises(ModelError, match="Mamba2ForCausalLM has no attention weights"):
        ats.attention_maps(model_of("mamba2"), TEXT, linear=False)
    with pytest.raises(ModelError, match="has no linear attention"):
        ats.attention_maps(ats.Model(tiny("llama"), copy_tokenizer()), TEXT, linear=True)


def test_a_list_is_as_each_text_alone() -> None:
    model = model_of("qwen3_next")
    for result, text in zip(ats.attention(model, MANY, layer=4, query=-1), MANY, strict=True):
        alone = ats.attention(model, text, layer=4, query=-1)
        np.testing.assert_allclose(result.token_scores, alone.token_scores, rtol=1e-4, atol=1e-6)
    several = ats.attention(model, TEXT, layer=4, query=[-1, 0, None])
    assert [result.asked.query for result in several] == [-1, 0, None]


@pytest.mark.parametrize("family", ["qwen3_next", "falcon_h1", "mamba2"])
def test_which_row_is_meant(family: str) -> None:
    """Attention weights where the layer has them, and in the last layer that has them."""
    model, linear = model_of(family), LINEAR[family][3]
    count = model.model.config.num_hidden_layers
    last = ats.attention(model, TEXT, query=-1)
    assert last.signed == (family == "mamba2")
    assert last.asked.options["layer"] == count - 1
    for layer in (0, -count):
        assert ats.attention(model, TEXT, layer=layer).signed == (family != "falcon_h1")
    chosen = ats.attention(model, TEXT, linear=True)
    assert chosen.signed
    assert chosen.asked.options["layer"] == linear[-1]
    if family != "mamba2":
        assert not ats.attention(model, TEXT, linear=False).signed
        assert not ats.attention(model, TEXT, layer="mean").signed


@pytest.mark.parametrize("family", ["qwen3_next", "mamba2", "falcon_h1"])
def test_rollout_follows_linear_attention_where_it_is_asked_to(family: str) -> None:
    """By hand: |M| as shares in the place of attention, and the mean of both in a layer that has both."""
    model = model_of(family)
    inputs = {"input_ids": model.tokenizer(TEXT, return_tensors="pt")["input_ids"]}
    count = model.model.config.num_hidden_layers
    parts: dict[int, list[np.ndarray]] = {layer: [] for layer in range(count)}
    if family != "mamba2":
        for layer, matrix in zip(
            ats.attention_maps(model, TEXT).layers, eager_attention(model.model, inputs), strict=True
        ):
            parts[layer].append(matrix[0].double().numpy())
    for layer, matrix in expected(family).items():
        parts[layer].append(np.abs(matrix) / np.abs(matrix).sum(-1, keepdims=True))
    truth = np.eye(13)
    for of_layer in parts.values():
        mixed = [0.5 * part.mean(0) + 0.5 * np.eye(13) for part in of_layer]
        truth = np.mean([m / m.sum(1, keepdims=True) for m in mixed], 0) @ truth
    result = ats.explain(model, TEXT, method="rollout", linear=True, query=-1)
    np.testing.assert_allclose(result.token_scores, truth[-1], atol=2e-5)
    assert not result.signed
    assert result.token_scores.sum() == pytest.approx(1, abs=1e-4)
    assert result.measured.coverage is None
    if family == "mamba2":
        with pytest.raises(ModelError, match="has no attention weights"):
            ats.explain(model, TEXT, method="rollout", query=-1)
    else:
        assert ats.explain(model, TEXT, method="rollout", query=-1).measured.coverage is not None


def test_what_cannot_be_is_refused_in_words() -> None:
    delta, state = model_of("qwen3_next"), model_of("mamba2")
    with pytest.raises(
        RangeError, match="layer 3 of Qwen3NextForCausalLM has no linear attention; layers that have: 0, 1"
    ):
        ats.attention(delta, TEXT, layer=3, linear=True)
    with pytest.raises(RangeError, match="layer 99 is out of range: the model has the layers 0 to 7"):
        ats.attention(delta, TEXT, layer=99)
    with pytest.raises(RangeError, match="head 4 is out of range: the model has the heads 0 to 3"):
        ats.attention(delta, TEXT, layer=0, head=4)
    with pytest.raises(InputError, match='layer="mean" is a mean of shares, and linear attention has none'):
        ats.attention(delta, TEXT, layer="mean", linear=True)
    for model, options in ((state, {"linear": False}), (state, {"layer": "mean"})):
        with pytest.raises(ModelError, match="Mamba2ForCausalLM has no attention weights to show"):
            ats.attention(model, TEXT, **options)
    with pytest.raises(ModelError, match="Mamba2ForCausalLM has no attention weights to show"):
        ats.explain(state, TEXT, method="value_norm")
    for net in (tiny("llama"), hybrid("lfm2")):
        with pytest.raises(ModelError, match="has no linear attention that attnscope can unroll: leave linear out"):
            ats.attention(ats.Model(net, copy_tokenizer()), TEXT, linear=True)


def test_a_model_whose_state_looks_like_weights_shows_its_weights() -> None:
    """MiniMax reports the state of its lightning attention among its attention weights."""
    model = model_of("minimax")
    assert ats.attention_maps(model, TEXT).layers == (0, 2)
    inputs = {"input_ids": model.tokenizer(TEXT, return_tensors="pt")["input_ids"]}
    with torch.no_grad():
        model.model.set_attn_implementation("eager")
        weights = model.model(**inputs, output_attentions=True, use_cache=False).attentions[0]
    model.model.set_attn_implementation("sdpa")
    row = ats.attention(model, TEXT, layer=0, head=1, query=-1)
    np.testing.assert_allclose(row.token_scores, weights[0, 1, -1], atol=1e-5)
