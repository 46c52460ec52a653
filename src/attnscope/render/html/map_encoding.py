"""Attention maps packed for a page: one deflated stream a map, and a small picture of each.

The problems it solves:
- Size. A weight is kept in 8 bits of its row's largest, `code = top · (w / m)^(1/power)`. Linear coding (power 1)
  takes a third of the square root's bytes (power 2) and loses what lies below a 510th of the row's largest: `kept`
  says how much of the attention's mass is left. Rows end at their own query where nothing comes after it.
- Time. Runs are all that deflate finds in attention: its run-length strategy is smaller than level 6 and six times as
  fast. zlib and numpy let go of the interpreter's lock, so that threads help.
- A single hot cell survives in the small picture: it is pooled by maxima, and coded by fourth roots.
"""

import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from attnscope.results.attention_maps import AttentionMaps, dequantise

# The finest first; a page that is too large steps down. What the steps cost in mass, the page says.
FINE = (2, 255)
LADDER = ((1, 255), (1, 127), (1, 63))
THUMBNAIL_SIDE = 64
_BASE64 = 4 / 3
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Coding:
    """code = rint(top · (w / m)^(1 / power)), m the row's largest weight."""

    power: int
    top: int

    @property
    def levels(self) -> NDArray[np.float32]:
        """(code,) what each code stands for, as a share of the row's largest."""
        return ((np.arange(self.top + 1) / self.top) ** self.power).astype(np.float32)

    def of(self, codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The codes of `attnscope.maps.quantise` in this coding, by a table of 256."""
        shares = dequantise(np.arange(256, dtype=np.uint8), np.float32(1))  # type: ignore[arg-type]
        table = np.rint(self.top * shares.astype(np.float64) ** (1 / self.power)).astype(np.uint8)
        return table[codes]


@dataclass(frozen=True)
class Packed:
    """One map: its deflated stream, and the shares of its mass that the coding kept."""

    data: bytes
    kept: float


def pack(codes: NDArray[np.uint8], largest: NDArray[np.float32], lengths: NDArray[np.intp], coding: Coding) -> Packed:
    """(query, key) codes of `quantise` -> the stream that the viewer's README describes.

    lengths: (query,) how many of the keys are not after the query.
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
    codes: NDArray[np.uint8],
    coded: NDArray[np.uint8],
    largest: NDArray[np.float32],
    maxima: NDArray[np.float32],
    coding: Coding,
) -> float:
    """The share of the map's mass that its coding has."""
    before = float(dequantise(codes, largest).sum(dtype=np.float64))
    after = float((coding.levels[coded].sum(-1, dtype=np.float32) * maxima).sum(dtype=np.float64))
    return after / before if before > 0 else 1.0


def thumbnail(codes: NDArray[np.uint8], largest: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(query, key) codes -> (≤ 64, ≤ 64): maxima over blocks, as fourth roots of the map's largest, in 255 steps."""
    queries, keys = codes.shape
    if not codes.size:
        return np.zeros((min(queries, THUMBNAIL_SIDE), min(keys, THUMBNAIL_SIDE)), dtype=np.uint8)
    by_key = np.maximum.reduceat(codes, _starts(keys), axis=1)
    values = np.maximum.reduceat(dequantise(by_key, largest), _starts(queries), axis=0)
    peak = values.max()
    shares = values / peak if peak > 0 else values
    pooled: NDArray[np.uint8] = np.rint(255 * np.sqrt(np.sqrt(shares))).astype(np.uint8)
    return pooled


def _starts(count: int) -> NDArray[np.intp]:
    """Where each of at most 64 blocks begins: the viewer divides in the same way."""
    blocks = min(count, THUMBNAIL_SIDE)
    return np.arange(blocks) * count // blocks


def row_lengths(maps: AttentionMaps) -> NDArray[np.intp]:
    """(query,) how many of the chosen keys stand at or before each chosen query."""
    if maps.key_side != maps.query_side:
        return np.full(len(maps.queries), len(maps.keys), dtype=np.intp)
    return np.searchsorted(np.array(maps.keys), np.array(maps.queries), side="right")


Place = tuple[int, int]


def packed(maps: AttentionMaps, places: Sequence[Place], coding: Coding) -> dict[Place, Packed]:
    """Each (layer place, head place) packed; in threads."""
    lengths = row_lengths(maps)

    def pack_map(place: Place) -> Packed:
        assert maps.codes is not None
        assert maps.largest is not None
        return pack(np.asarray(maps.codes[place]), np.asarray(maps.largest[place]), lengths, coding)

    return dict(zip(places, in_threads(pack_map, places), strict=True))


def packed_thumbnails(maps: AttentionMaps, places: Sequence[Place]) -> bytes:
    """All small pictures, one after the other, deflated."""

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
    """The finest coding, and with the coarsest the most layers, whose streams fit into `room` bytes of base64.

    A few maps tell beforehand what all will take, so that a large page is not packed four times.
    """
    heads = range(len(maps.heads))
    every = [(layer, head) for layer in range(len(maps.layers)) for head in heads]
    sample = every[:: max(1, len(every) // 12)]
    ladder = [Coding(*step) for step in ((FINE, *LADDER) if quality == "high" else LADDER)]
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
    """`count` of `length` places, evenly, the last always among them.

    >>> spread(30, 4), spread(30, 1)
    ([0, 10, 19, 29], [29])
    """
    return [length - 1] if count == 1 else [round(i * (length - 1) / (count - 1)) for i in range(count)]


def size(streams: dict[Place, Packed]) -> float:
    """Bytes of base64."""
    return sum(len(stream.data) for stream in streams.values()) * _BASE64
