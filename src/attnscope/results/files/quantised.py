"""Attention weights in 8 bits, and arrays of a safetensors file that stay on disk.

Each row is scaled by its largest weight m, and a weight w is stored as the whole number nearest to 255 · (w/m)^(1/4).
So in a row whose attention sink takes nearly everything, a weight of a millionth of it still has a code of its own;
plain linear coding would end at a 255th. The price: a stored weight is off by at most 0.8 % of the row's largest, and
by 0.8 % · (w/m)^(3/4) in general. The largest itself is exact.

Signed weights have a code from -127 to 127, the sign times the whole number nearest to 127 · (|w|/m)^(1/2), m the
largest without its sign: off by at most 0.8 % of m too.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_POWER = 4
_LEVELS = ((np.arange(256) / 255) ** _POWER).astype(np.float32)
# Of signed weights, by the codes -128 … 127 as a place in the array: those below 0 come last.
_SIGNED_POWER, _SIGNED_TOP = 2, 127
_CODES = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.float64)
_SIGNED_LEVELS = (np.sign(_CODES) * (np.abs(_CODES) / _SIGNED_TOP) ** _SIGNED_POWER).astype(np.float32)


def quantise(weights: ArrayLike) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Weights (…, key), 0 or more -> their codes (…, key) and each row's largest weight (…).

    >>> codes, largest = quantise([[0.9, 0.0009, 0.0]])
    >>> codes.tolist(), dequantise(codes, largest).astype(float).round(4).tolist()
    ([[255, 45, 0]], [[0.9, 0.0009, 0.0]])
    """
    values = np.asarray(weights, dtype=np.float32)
    largest = values.max(-1, initial=0)
    peak = largest[..., None]
    # Divided, not multiplied by 1 / peak, which is infinite where the peak is subnormal.
    roots = np.sqrt(np.sqrt(np.divide(values, peak, out=np.zeros_like(values), where=peak > 0)))
    return np.rint(roots * 255).astype(np.uint8), largest


def quantise_signed(weights: ArrayLike) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Signed weights (…, key) -> their codes (…, key), and of each row the largest weight without its sign (…).

    >>> codes, largest = quantise_signed([[-0.5, 0.125, 0.0]])
    >>> codes.tolist(), dequantise(codes, largest).astype(float).round(3).tolist()
    ([[-127, 64, 0]], [[-0.5, 0.127, 0.0]])
    """
    values = np.asarray(weights, dtype=np.float32)
    largest = np.abs(values).max(-1, initial=0)
    peak = largest[..., None]
    shares = np.divide(np.abs(values), peak, out=np.zeros_like(values), where=peak > 0)
    codes = np.rint(np.sqrt(shares) * _SIGNED_TOP) * np.sign(values)
    return codes.astype(np.int8), largest


def dequantise(codes: NDArray[Any], largest: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weights that `quantise` or `quantise_signed` encoded, within the error stated at the head of this module."""
    levels = _SIGNED_LEVELS[codes.view(np.uint8)] if codes.dtype == np.int8 else _LEVELS[codes]
    weights: NDArray[np.float32] = levels * largest[..., None]
    return weights


_DTYPES = {"U8": "<u1", "I8": "<i1", "U16": "<u2", "I32": "<i4", "F16": "<f2", "F32": "<f4"}


def mapped_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file without reading them: its header says where each one is."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return {
        name: np.memmap(
            path, _DTYPES[entry["dtype"]], "r", 8 + length + entry["data_offsets"][0], tuple(entry["shape"])
        )
        if entry["data_offsets"][0] < entry["data_offsets"][1]
        else np.zeros(entry["shape"], _DTYPES[entry["dtype"]])
        for name, entry in header.items()
    }
