from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from attnscope.errors import DamagedFileError, OutputError, RangeError
from attnscope.maps import AttentionMaps, Side, dequantise, quantise
from attnscope.render import render, save
from attnscope.words import TokenSpan, WordSpan

TEXT = "</script>猫 $x$"
SIDE = Side(
    TEXT,
    (TokenSpan("<s>", 0, 0, True), TokenSpan("</script>", 0, 9, False), TokenSpan("猫", 9, 10, False),
     TokenSpan(" $x", 10, 13, False), TokenSpan("$", 13, 14, False)),
    (WordSpan(0, 9, (1,)), WordSpan(9, 10, (2,)), WordSpan(11, 14, (3, 4))),
)  # fmt: skip


def hand_made() -> AttentionMaps:
    weights = np.random.default_rng(1).dirichlet(np.ones(5), size=(2, 3, 5)).astype(np.float32)
    codes, largest = quantise(weights)
    statistics = {"received": weights[:, :, 1:].mean(2), "special": np.ascontiguousarray(weights[..., 0])}
    return AttentionMaps(SIDE, SIDE, (0, 4), (1, 2, 7), (*range(5),), (*range(5),), codes, largest, statistics)


@given(arrays.arrays(np.float32, (3, 7), elements=st.floats(0, 1, width=32)), st.booleans())
def test_the_error_is_within_what_the_module_states(weights: np.ndarray, sink: bool) -> None:
    if sink:
        weights = np.concatenate([np.full((3, 1), 0.99, np.float32), weights * np.float32(0.01)], 1)
    back = dequantise(*quantise(weights))
    largest = weights.max(-1, keepdims=True)
    assert (np.abs(back - weights) <= 0.008 * largest + 1e-30).all()
    assert (back.max(-1, keepdims=True) == largest).all()


def test_a_file_comes_back_exactly_and_stays_on_disk(tmp_path: Path) -> None:
    maps = hand_made()
    back = AttentionMaps.load(save(maps, tmp_path / "maps.safetensors"))
    assert isinstance(back.codes, np.memmap)
    assert (back.codes == maps.codes).all()
    assert (back.row(4, 7, -1) == maps.weights(4, 7)[-1]).all()
    assert back.query_side == SIDE
    assert all((back.statistics[name] == maps.statistics[name]).all() for name in maps.statistics)


@pytest.mark.parametrize("cut", [0, 4, 200, -1])
def test_a_cut_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "maps.safetensors"
    hand_made().save(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DamagedFileError):
        AttentionMaps.load(path)


def test_words_are_summed_over_keys_and_averaged_over_queries() -> None:
    maps = hand_made()
    whole, pooled = maps.weights(4, 2), maps.words().weights(4, 2)
    for q, queries in enumerate([[1], [2], [3, 4]]):
        for k, keys in enumerate([[1], [2], [3, 4]]):
            slow = sum(whole[i, j] for i in queries for j in keys) / len(queries)
            assert abs(pooled[q, k] - slow) <= 0.008 * pooled[q].max()


def test_columns_are_of_one_length() -> None:
    assert {len(column) for column in hand_made().columns().values()} == {6}


def test_a_layer_that_was_not_kept_is_named() -> None:
    with pytest.raises(RangeError, match="the layer 3 is not among those kept: 0, 4"):
        hand_made().weights(3, 1)


@pytest.mark.filterwarnings("ignore")  # a machine without Japanese fonts draws boxes
@pytest.mark.parametrize(
    ("suffix", "magic"),
    [(".html", b"<!doctype html>"), (".png", b"\x89PNG"), (".svg", b"<?xml"), (".json", b'{"schema": 1')],
)
def test_maps_draw_by_suffix(suffix: str, magic: bytes) -> None:
    assert render(hand_made(), suffix).startswith(magic)


def test_maps_have_no_pages_of_other_kinds(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.html.*safetensors"):
        save(hand_made(), tmp_path / "maps.docx")
