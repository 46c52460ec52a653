"""What a page keeps of attention maps, unpacked again in a slower, plainer way."""

import zlib

import numpy as np
import pytest
from drawn_maps import maps_of

from attnscope.render.html.map_encoding import LADDER, Coding, fitted, pack, row_lengths, size, spread, thumbnail
from attnscope.results.attention_maps import quantise, quantise_signed

TEXT = "the castle on the hill above the river was old and nobody lived there any more"


def unpacked(data: bytes, coding: Coding, lengths: list[int], keys: int) -> np.ndarray:
    """The README's format, read byte by byte."""
    raw = zlib.decompress(data, -15)
    count = len(lengths)
    largest = np.frombuffer(raw, "<f2", count, 2).astype(np.float64)
    rows, at = np.zeros((count, keys)), 2 + 2 * count
    for q, length in enumerate(lengths):
        size = length if raw[0] == 1 else keys
        for k in range(size):
            rows[q, k] = (raw[at + k] / coding.top) ** coding.power * largest[q]
        at += size
    assert at == len(raw)
    return rows


@pytest.mark.parametrize("coding", [Coding(1, 127, True), Coding(2, 127, True), Coding(1, 63, True)])
def test_a_signed_map_comes_back_with_its_signs(coding: Coding) -> None:
    chance = np.random.default_rng(0)
    truth = np.tril(chance.normal(size=(20, 20)) ** 3).astype(np.float32)
    codes, largest = quantise_signed(truth)
    stream = pack(codes, largest, np.arange(1, 21), coding)
    raw = zlib.decompress(stream.data, -15)
    assert raw[0] == 1
    at = 2 + 2 * 20
    for q in range(20):
        for k, byte in enumerate(raw[at : at + q + 1]):
            share = ((byte % 128) / coding.top) ** coding.power * (-1 if byte >= 128 else 1)
            assert abs(share * largest[q] - truth[q, k]) <= (0.008 + coding.power * 0.5 / coding.top) * largest[q]
        at += q + 1
    assert len(raw) == at
    assert 0.9 < stream.kept < 1.1
    pooled = thumbnail(codes, largest).astype(int) - 128
    strongest = np.unravel_index(np.abs(truth).argmax(), truth.shape)
    assert pooled[strongest] == 127 * np.sign(truth[strongest])
    assert not np.triu(pooled, 1).any()


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("coding", [Coding(1, 255), Coding(2, 255), Coding(1, 63)])
def test_a_map_comes_back_within_its_error(coding: Coding, causal: bool) -> None:
    maps = maps_of(TEXT, causal=causal)
    assert maps.codes is not None
    assert maps.largest is not None
    lengths = row_lengths(maps)
    stream = pack(maps.codes[1, 2], maps.largest[1, 2], lengths, coding)
    back = unpacked(stream.data, coding, lengths.tolist(), len(maps.keys))
    truth = maps.weights(1, 2)
    peak = truth.max(-1, keepdims=True)
    error = 0.5 / coding.top if coding.power == 1 else 1 / coding.top
    # Half a step, and the maxima's eleven bits.
    assert (np.abs(back - truth) <= (error + 2**-11) * peak + 1e-7).all()
    assert stream.kept == pytest.approx(back.sum() / truth.sum(), abs=1e-4)


def test_rows_end_at_their_query_only_where_nothing_follows() -> None:
    maps = maps_of(TEXT, causal=False)
    assert maps.codes is not None
    assert maps.largest is not None
    stream = pack(maps.codes[0, 0], maps.largest[0, 0], row_lengths(maps), Coding(1, 255))
    assert zlib.decompress(stream.data, -15)[0] == 0


def test_a_single_hot_cell_survives_in_the_small_picture() -> None:
    weights = np.full((300, 500), 1e-5, dtype=np.float32)
    weights[217, 391] = 0.9
    picture = thumbnail(*quantise(weights))
    assert picture.shape == (64, 64)
    where = np.unravel_index(picture.argmax(), picture.shape)
    assert where == (217 * 64 // 300, 391 * 64 // 500)
    assert picture.max() == 255


def test_a_budget_steps_down_the_coding_and_then_the_layers() -> None:
    maps = maps_of(TEXT * 4, layers=6, heads=2)
    free, everything = fitted(maps, "standard", 1e9)
    assert (free, len(everything)) == (Coding(*LADDER[0]), 12)
    high, _ = fitted(maps, "high", 1e9)
    assert high == Coding(2, 255)
    room = 0.75 * size(everything)
    coarse, all_still = fitted(maps, "standard", room)
    assert coarse.top < 255
    assert len(all_still) == 12
    assert size(all_still) <= room
    tight = 0.2 * size(everything)
    coarsest, some = fitted(maps, "standard", tight)
    assert coarsest == Coding(*LADDER[-1])
    assert 0 < len({layer for layer, _ in some}) < 6
    assert size(some) <= tight
    assert fitted(maps, "standard", 1)[1] == {}


def test_layers_are_spread() -> None:
    assert spread(30, 4) == [0, 10, 19, 29]
    assert spread(5, 5) == [0, 1, 2, 3, 4]
