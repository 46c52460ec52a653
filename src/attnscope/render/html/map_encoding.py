"""Attention maps packed for a page: a deflated stream per map, and a thumbnail of each.

The problems it solves:
- Size. A weight is coded in 8 bits relative to its row's largest, `code = top · (w / m)^(1/power)`. Linear coding
  (power 1) takes a third of the bytes of square roots (power 2) and loses what lies below a 510th of the row's largest:
  `kept` says how much of the attention's mass is left. Rows end at their own query where nothing comes after it.
- Time. Runs are all that deflate finds in attention: its run-length strategy gives smaller output than level 6, six
  times as fast. zlib and numpy release the interpreter's lock, so threads help.
- A single hot cell survives in the thumbnail, which is pooled by maxima and coded by fourth roots.
"""

import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from attnscope.results.attention_maps import AttentionMaps, dequantise

# The finest first; a page that is too large takes the next. The page says what a step costs in mass.
FINE = (2, 255)
LADDER = ((1, 255), (1, 127), (1, 63))
# Of signed weights, whose codes have a bit less.
SIGNED_FINE = (2, 127)
SIGNED_LADDER = ((1, 127), (1, 63))
_NEGATIVE = 128
THUMBNAIL_SIDE = 64
_BASE64 = 4 / 3
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Coding:
    """code = rint(top · (w / m)^(1 / power)), m the row's largest weight.

    signed: of |w|, m without its sign; 128 is added to the codes of weights below 0.
    """

    power: int
    top: int
    signed: bool = False

    @property
    def levels(self) -> NDArray[np.float32]:
        """(code,) The value of each code, as a share of the row's largest, without its sign."""
        places = np.arange(256) % _NEGATIVE if self.signed else np.arange(self.top + 1)
        return ((places / self.top) ** self.power).astype(np.float32)

    def of(self, codes: NDArray[Any]) -> NDArray[np.uint8]:
        """By a table of 256: the codes of `attnscope.results.files.quantised` -> the codes of this coding."""
        every = np.arange(256, dtype=np.uint8).view(codes.dtype)
        shares = dequantise(every, np.float32(1)).astype(np.float64)  # type: ignore[arg-type]
        table = np.rint(self.top * np.abs(shares).clip(max=1) ** (1 / self.power)).astype(np.uint8)
        if self.signed:
            table += np.where((shares < 0) & (table > 0), _NEGATIVE, 0).astype(np.uint8)
        return table[codes.view(np.uint8)]


@dataclass(frozen=True)
class Packed:
    """One map: its deflated stream, and the share of its mass that the coding kept."""

    data: bytes
    kept: float


def pack(codes: NDArray[Any], largest: NDArray[np.float32], lengths: NDArray[np.intp], coding: Coding) -> Packed:
    """Codes of `quantise` (query, key) -> the stream that the viewer's README describes.

    lengths: (query,) how many of the keys are at or before the query.
    """
    coded = coding.of(codes)
    rows = [row[:length] for row, length in zip(coded, lengths.tolist(), strict=True)]
    ends = np.concatenate(rows) if rows else coded.ravel()
    whole = ends.size == coded.size or np.count_nonzero(ends) != np.count_nonzero(coded)
    maxima = largest.astype("<f2")
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15, 9, zlib.Z_RLE)
    parts = (bytes([0 if whole else 1, 0]), maxima.tobytes(), (coded if whole else ends).tobytes())
    data = b"".join([*(deflate.compress(part) for part in parts), deflate.flush()])
    return Packed(data, _kept(codes, coded, largest, maxima.astype(np.float32), coding))


def _kept(
    codes: NDArray[Any],
    coded: NDArray[np.uint8],
    largest: NDArray[np.float32],
    maxima: NDArray[np.float32],
    coding: Coding,
) -> float:
    """The share of the map's mass, without signs, that the coding keeps."""
    before = float(np.abs(dequantise(codes, largest)).sum(dtype=np.float64))
    after = float((coding.levels[coded].sum(-1, dtype=np.float32) * maxima).sum(dtype=np.float64))
    return after / before if before > 0 else 1.0


def thumbnail(codes: NDArray[Any], largest: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(query, key) codes -> (≤ 64, ≤ 64): maxima over blocks, as fourth roots of the map's largest, in 255 steps.

    Of signed weights the largest without its sign, in 127 steps below and above 128.
    """
    queries, keys = codes.shape
    if codes.dtype == np.int8 and codes.size:
        highest, lowest = (
            ufunc.reduceat(ufunc.reduceat(dequantise(codes, largest), _starts(keys), axis=1), _starts(queries), axis=0)
            for ufunc in (np.maximum, np.minimum)
        )
        strongest = np.where(highest >= -lowest, highest, lowest)
        peak = np.abs(strongest).max() or 1
        roots = np.sqrt(np.sqrt(np.abs(strongest) / peak)) * np.sign(strongest)
        signed: NDArray[np.uint8] = (_NEGATIVE + np.rint(127 * roots)).astype(np.uint8)
        return signed
    if not codes.size:
        return np.zeros((min(queries, THUMBNAIL_SIDE), min(keys, THUMBNAIL_SIDE)), dtype=np.uint8)
    by_key = np.maximum.reduceat(codes, _starts(keys), axis=1)
    values = np.maximum.reduceat(dequantise(by_key, largest), _starts(queries), axis=0)
    peak = values.max()
    shares = values / peak if peak > 0 else values
    pooled: NDArray[np.uint8] = np.rint(255 * np.sqrt(np.sqrt(shares))).astype(np.uint8)
    return pooled


def _starts(count: int) -> NDArray[np.intp]:
    """Where each of at most 64 blocks begins; the viewer divides in the same way."""
    blocks = min(count, THUMBNAIL_SIDE)
    return np.arange(blocks) * count // blocks


def row_lengths(maps: AttentionMaps) -> NDArray[np.intp]:
    """(query,) How many of the chosen keys are at or before each chosen query."""
    if maps.key_side != maps.query_side:
        return np.full(len(maps.queries), len(maps.keys), dtype=np.intp)
    return np.searchsorted(np.array(maps.keys), np.array(maps.queries), side="right")


Place = tuple[int, int]


def packed(maps: AttentionMaps, places: Sequence[Place], coding: Coding) -> dict[Place, Packed]:
    """The packed maps by (place of the layer, place of the head); packed in threads."""
    lengths = row_lengths(maps)

    def pack_map(place: Place) -> Packed:
        assert maps.codes is not None
        assert maps.largest is not None
        return pack(np.asarray(maps.codes[place]), np.asarray(maps.largest[place]), lengths, coding)

    return dict(zip(places, in_threads(pack_map, places), strict=True))


def packed_thumbnails(maps: AttentionMaps, places: Sequence[Place]) -> bytes:
    """All thumbnails, one after the other, deflated."""

    def pool_map(place: Place) -> bytes:
        assert maps.codes is not None
        assert maps.largest is not None
        return thumbnail(np.asarray(maps.codes[place]), np.asarray(maps.largest[place])).tobytes()

    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    return deflate.compress(b"".join(in_threads(pool_map, places))) + deflate.flush()


def in_threads(work: Callable[[_T], _R], items: Iterable[_T]) -> list[_R]:
    """`work` of every item, in order."""
    with ThreadPoolExecutor(max(1, min(8, os.cpu_count() or 1))) as pool:
        return list(pool.map(work, items))


def fitted(maps: AttentionMaps, quality: str, room: float) -> tuple[Coding, dict[Place, Packed]]:
    """The finest coding whose streams fit into `room` bytes of base64, else the coarsest with the layers that fit.

    The size of all maps is estimated from a few, so that a large page is not packed four times.
    """
    heads = range(len(maps.heads))
    every = [(layer, head) for layer in range(len(maps.layers)) for head in heads]
    sample = every[:: max(1, len(every) // 12)]
    finest, steps = (SIGNED_FINE, SIGNED_LADDER) if maps.signed else (FINE, LADDER)
    ladder = [Coding(power, top, maps.signed) for power, top in ((finest, *steps) if quality == "high" else steps)]
    for coding in ladder:
        streams = packed(maps, sample, coding)
        share = room * len(sample) / (size(streams) * len(every)) if streams else 1
        if share < 0.95:
            continue
        streams |= packed(maps, [place for place in every if place not in streams], coding)
        if size(streams) <= room:
            return coding, streams
    # The first and the last layer and, between them, as many as there is room for.
    for count in range(min(len(maps.layers), max(1, int(share * len(maps.layers)) + 1)), 0, -1):
        chosen = [(layer, head) for layer in spread(len(maps.layers), count) for head in heads]
        streams |= packed(maps, [place for place in chosen if place not in streams], coding)
        if size({place: streams[place] for place in chosen}) <= room:
            return coding, {place: streams[place] for place in chosen}
    return coding, {}


def spread(length: int, count: int) -> list[int]:
    """`count` of `length` places, evenly spread, the last one always included.

    >>> spread(30, 4), spread(30, 1)
    ([0, 10, 19, 29], [29])
    """
    return [length - 1] if count == 1 else [round(i * (length - 1) / (count - 1)) for i in range(count)]


def size(streams: dict[Place, Packed]) -> float:
    """The size of the streams in bytes of base64."""
    return sum(len(stream.data) for stream in streams.values()) * _BASE64
