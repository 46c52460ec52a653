"""The streamed maps and statistics of a whole model: against eager matrices held in full."""

import numpy as np
import pytest
import torch
from planted import copy_tokenizer
from tiny_models import FAMILIES, tiny

import attnscope as ats
from attnscope.errors import InputError, ModelError, RangeError
from attnscope.models.attention import interface
from attnscope.models.inputs.batching import tensors
from attnscope.models.inputs.encode import encode
from attnscope.results.attention_maps import STATISTICS
from reference.textbook import eager_attention

TEXT = "<|im_start|>The unbelievable castle on the hill. 熊本県の castle 😀"


def matrices(model: ats.Model, text: str) -> np.ndarray:
    """(layer, head, query, key)"""
    inputs = tensors(model.model, encode(model.tokenizer, text).inputs)
    return torch.stack([layer[0] for layer in eager_attention(model.model, inputs)]).numpy()


def check_against(maps: ats.AttentionMaps, full: np.ndarray) -> None:
    """Every statistic by its definition, from the whole matrices."""
    tokens = maps.query_side.tokens
    shown = [i for i, token in enumerate(tokens) if not token.special]
    count = len(tokens)
    apart = np.abs(np.arange(count)[:, None] - np.arange(count))
    own = np.zeros((count, count))
    for word in maps.query_side.words:
        for a in word.tokens:
            own[a, [b for b in word.tokens if b != a]] = 1
    special = [token.special for token in tokens]
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nansum(np.where(full > 0, full * np.log(full), 0), -1)
    expected = {
        "received": full[:, :, shown].mean(2),
        "entropy": entropy,
        "special": full[..., special].sum(-1),
        "distance": (full * apart).sum(-1)[:, :, shown].mean(-1),
        "previous": np.mean([full[:, :, i, i - 1] if i else np.zeros(full.shape[:2]) for i in shown], 0),
        "first": full[:, :, shown, 0].mean(-1),
        "same_word": (full * own).sum(-1)[:, :, shown].mean(-1),
        "top_weights": -np.sort(-full, -1)[..., : maps.statistics["top_keys"].shape[-1]],
    }
    for name, array in expected.items():
        tolerance = 1e-3 if name == "top_weights" else 2e-5 * max(1, np.abs(array).max())
        np.testing.assert_allclose(maps.statistics[name], array, atol=tolerance, err_msg=name)
    assert {*expected, "top_keys", "negative"} == set(STATISTICS)  # the last is of signed maps
    kept = np.take_along_axis(full, maps.statistics["top_keys"].astype(int), -1)
    some = maps.statistics["top_weights"] > 0
    np.testing.assert_allclose(kept[some], expected["top_weights"][some], atol=1e-5)
    for i, layer in enumerate(maps.layers):
        for j, head in enumerate(maps.heads):
            largest = full[i, j].max(-1, keepdims=True)
            bound = 0.008 * largest ** (1 / 4) * np.maximum(full[i, j], 0) ** (3 / 4) + 1e-5
            assert (np.abs(maps.weights(layer, head) - full[i, j]) <= bound).all()


@pytest.mark.parametrize("block", [None, 1, 700])
def test_real_causal_weights(smollm2: ats.Model, block: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if block:
        monkeypatch.setattr(interface, "BLOCK", block)
    check_against(ats.attention_maps(smollm2, TEXT, top=5), matrices(smollm2, TEXT))


def test_real_encoder_weights(minilm: ats.Model) -> None:
    text = "The unbelievable castle"
    check_against(ats.attention_maps(minilm, text, top=3), matrices(minilm, text))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family(family: str) -> None:
    model = ats.Model(tiny(family), copy_tokenizer())
    text = "a b c d e f g a b c d"
    check_against(ats.attention_maps(model, text, top=4), matrices(model, text))


def test_maps_are_of_tokens_until_words_are_asked_for() -> None:
    maps = ats.attention_maps(ats.Model(tiny("llama"), copy_tokenizer()), "a b c")
    assert (maps.asked.unit, maps.words().asked.unit) == ("token", "word")


def test_many_texts_equal_one_at_a_time(smollm2: ats.Model) -> None:
    texts = ["The castle.", TEXT, "熊本県 and more"]
    for text, together in zip(texts, ats.attention_maps(smollm2, texts, top=2), strict=True):
        alone = ats.attention_maps(smollm2, text, top=2)
        assert together.key_side.text == text
        for name in ("received", "entropy", "distance", "same_word", "previous"):
            np.testing.assert_allclose(together.statistics[name], alone.statistics[name], atol=2e-5)
        np.testing.assert_allclose(together.weights(3, 2), alone.weights(3, 2), atol=0.009)


def test_chosen_layers_heads_queries_and_keys(smollm2: ats.Model) -> None:
    full = matrices(smollm2, TEXT)
    maps = ats.attention_maps(smollm2, TEXT, layers=[-1, 3], heads=[2, 5], queries=[-1, 4], keys=[0, 2, 3])
    last = full.shape[-1] - 1
    assert (maps.layers, maps.heads, maps.queries, maps.keys) == ((3, 29), (2, 5), (4, last), (0, 2, 3))
    assert maps.codes is not None
    assert maps.codes.shape == (2, 2, 2, 3)
    np.testing.assert_allclose(maps.row(3, 5, 4), full[3, 5, 4, [0, 2, 3]], atol=0.008)
    np.testing.assert_allclose(maps.statistics["entropy"].shape, (2, 2, 2))
    np.testing.assert_allclose(maps.received(29, 2), full[29, 2][[4, last]][:, [0, 2, 3]].mean(0), atol=1e-5)


def test_statistics_alone_keep_no_maps(smollm2: ats.Model) -> None:
    maps = ats.attention_maps(smollm2, TEXT, maps=False, top=0)
    assert maps.codes is None
    assert "top_keys" not in maps.statistics
    with pytest.raises(InputError, match="maps=True"):
        maps.weights(0, 0)


def test_received_is_the_attention_of_the_mean_query(smollm2: ats.Model) -> None:
    maps = ats.attention_maps(smollm2, TEXT, maps=False)
    result = ats.attention(smollm2, TEXT, layer=5, head=1)
    np.testing.assert_allclose(maps.received(5, 1), result.token_scores, atol=1e-5)


def test_a_known_truth_a_head_of_the_previous_token_stands_out(smollm2: ats.Model) -> None:
    """In a text of the same words over and over, some head of a real model looks one token back."""
    maps = ats.attention_maps(smollm2, "The castle on the hill was old and grey and very far away.", maps=False)
    best = np.unravel_index(maps.statistics["previous"].argmax(), maps.statistics["previous"].shape)
    assert maps.statistics["previous"][best] > 0.4
    assert maps.statistics["distance"][best] < maps.statistics["distance"].mean()


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"layers": [30]}, RangeError, "layers 0 to 29"),
        ({"heads": []}, RangeError, "no head was chosen"),
        ({"queries": [99]}, RangeError, "query 99"),
        ({"top": -1}, InputError, "top=-1"),
        ({"stack": "cross"}, ModelError, "no 'cross' attention: it is not an encoder–decoder"),
        ({"target": " more", "generate": 3}, InputError, "give one"),
    ],
)
def test_what_cannot_be_asked_says_why(
    smollm2: ats.Model, arguments: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        ats.attention_maps(smollm2, "The castle", **arguments)
