"""Weights in 8 bits are within the stated error, and arrays stay on disk."""

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import save_file

from attnscope.results.files.quantised import dequantise, mapped_arrays, quantise, quantise_signed


@settings(deadline=None)
@given(arrays.arrays(np.float32, (3, 7), elements=st.floats(0, 1, width=32)), st.booleans())
def test_the_error_is_within_what_the_module_states(weights: np.ndarray, sink: bool) -> None:
    if sink:
        weights = np.concatenate([np.full((3, 1), 0.99, np.float32), weights * np.float32(0.01)], 1)
    back = dequantise(*quantise(weights))
    largest = weights.max(-1, keepdims=True)
    assert (np.abs(back - weights) <= 0.008 * largest + 1e-30).all()
    assert (back.max(-1, keepdims=True) == largest).all()


@settings(deadline=None)
@given(arrays.arrays(np.float32, (3, 7), elements=st.floats(-1, 1, width=32)))
def test_signed_weights_keep_their_sign_within_the_same_error(weights: np.ndarray) -> None:
    codes, largest = quantise_signed(weights)
    back = dequantise(codes, largest)
    assert codes.dtype == np.int8
    np.testing.assert_array_equal(largest, np.abs(weights).max(-1))
    assert (np.abs(back - weights) <= 0.008 * largest[:, None] + 1e-30).all()
    assert (back * weights >= 0).all()
    np.testing.assert_array_equal(np.abs(back).max(-1), largest)


def test_small_weights_beside_a_sink_keep_their_order() -> None:
    codes, largest = quantise([[0.999, 1e-6, 1e-7, 0.0], [0.0, 0.0, 0.0, 0.0]])
    assert largest.tolist() == [np.float32(0.999), 0.0]
    assert codes[0, 0] == 255 > codes[0, 1] > codes[0, 2] > codes[0, 3] == 0
    assert not dequantise(codes, largest)[1].any()


def test_arrays_of_a_file_are_mapped(tmp_path: Path) -> None:
    given_arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros((0, 4), np.uint8)}
    save_file(given_arrays, tmp_path / "x.safetensors", metadata={"a": "b"})
    back = mapped_arrays(tmp_path / "x.safetensors")
    assert isinstance(back["a"], np.memmap)
    for name, array in given_arrays.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].dtype == array.dtype
