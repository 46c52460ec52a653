"""Attention maps to draw, made by hand: no model is needed to test a page."""

import re
from dataclasses import replace
from typing import Any

import matplotlib.text
import numpy as np

from attnscope.results.attention_maps import AttentionMaps, TextSide, quantise, quantise_signed
from attnscope.results.base import Asked, Measured
from attnscope.text.words import TokenSpan, WordSpan

TEXT = "The castle stood on the hill above the river, and nobody had lived there since the war."
PROVENANCE = {"model": "tests/tiny", "dtype": "float32", "attnscope": "0.1.0"}


def side(text: str, *, cut: int = 4, special: bool = True) -> TextSide:
    """Words by white space, tokens of at most `cut` characters, a special token in front and one behind."""
    tokens = [TokenSpan("[CLS]", 0, 0, True)] if special else []
    words = []
    for match in re.finditer(r"\S+", text):
        members = []
        for start in range(match.start(), match.end(), cut):
            end = min(start + cut, match.end())
            members.append(len(tokens))
            tokens.append(TokenSpan(text[start:end], start, end, False))
        words.append(WordSpan(match.start(), match.end(), tuple(members)))
    if special:
        tokens.append(TokenSpan("[SEP]", 0, 0, True))
    return TextSide(text, tuple(tokens), tuple(words))


def maps_of(
    text: str,
    keys: str | None = None,
    *,
    layers: int = 2,
    heads: int = 3,
    causal: bool = False,
    seed: int = 0,
    continued_at: int | None = None,
) -> AttentionMaps:
    """Random attention with sinks and diffuse rows; `keys` a second text."""
    query_side = side(text)
    key_side = query_side if keys is None else side(keys)
    nq, nk = len(query_side.tokens), len(key_side.tokens)
    chance = np.random.default_rng(seed)
    weights = chance.gamma(0.3, size=(layers, heads, nq, nk)).astype(np.float32) + 1e-6
    weights[:, 1:, :, 0] += 0.7 * weights[:, 1:].sum(-1)
    if causal:
        weights *= np.tril(np.ones((nq, nk), dtype=np.float32))
    weights /= weights.sum(-1, keepdims=True)
    codes, largest = quantise(weights)
    shown = [i for i, token in enumerate(query_side.tokens) if not token.special]
    special = [i for i, token in enumerate(key_side.tokens) if token.special]
    statistics = {
        "received": weights[:, :, shown].mean(2),
        "entropy": -(weights * np.log(np.maximum(weights, 1e-30))).sum(-1),
        "special": weights[..., special].sum(-1),
        "first": weights[:, :, shown, 0].mean(-1),
    }
    asked = Asked(unit="token", stack="self" if keys is None else "cross")
    return AttentionMaps(
        query_side, key_side, (*range(layers),), (*range(heads),), (*range(nq),), (*range(nk),), codes, largest,
        statistics, asked, Measured(continued_at=continued_at), PROVENANCE,
    )  # fmt: skip


def kept(maps: AttentionMaps, layer: int, head: int) -> np.ndarray:
    """The map as the page has it: linear eighths of a byte of float16 maxima."""
    truth = maps.weights(layer, head).astype(np.float64)
    peak = truth.max(-1, keepdims=True)
    return np.rint(truth / peak * 255) / 255 * peak.astype(np.float16).astype(np.float64)


def by_character(text: str, layers: int = 2, heads: int = 3, sink: float = 0.0) -> AttentionMaps:
    """One token a character behind a special one; `sink` of every row goes to the first that is shown."""
    tokens = (TokenSpan("<s>", 0, 0, True), *(TokenSpan(c, i, i + 1, False) for i, c in enumerate(text)))
    words = tuple(WordSpan(i, i + 1, (i + 1,)) for i in range(len(text)))
    count = len(tokens)
    weights = np.random.default_rng(1).dirichlet(np.ones(count), size=(layers, heads, count)).astype(np.float32)
    weights *= 1 - sink
    weights[..., 1] += sink
    codes, largest = quantise(weights)
    statistics = {"special": np.ascontiguousarray(weights[..., 0]), "first": weights[..., 0].mean(-1)}
    side = TextSide(text, tokens, words)
    return AttentionMaps(
        side, side, (*range(layers),), (*range(heads),), (*range(count),), (*range(count),), codes, largest, statistics,
        provenance={"model": "tests/tiny"},
    )  # fmt: skip


def signed_by_character(text: str, layers: int = 2, heads: int = 3) -> AttentionMaps:
    """Maps of linear attention: each layer a hundred times smaller than the one before."""
    maps = by_character(text, layers, heads)
    count = len(maps.keys)
    weights = np.random.default_rng(2).normal(size=(layers, heads, count, count)) * np.tri(count)
    weights *= 0.01 ** np.arange(layers)[:, None, None, None]
    codes, largest = quantise_signed(weights)
    measured = Measured(mechanism="gated delta rule", rebuilt=2e-7)
    return replace(maps, codes=codes, largest=largest, signed=True, measured=measured)


def words_in(ax: Any) -> str:
    return " ".join(t.get_text() for t in ax.figure.get_figure(root=True).findobj(matplotlib.text.Text))
