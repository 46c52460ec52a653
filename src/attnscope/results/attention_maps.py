"""Attention of chosen layers × heads × queries × keys, and statistics measured while it streamed by.

Plain frozen data, numpy only. A map takes 8 bits per weight; `results.files.quantised` says how, and states the error.
On disk: one safetensors file, mapped into memory on loading, so that a file larger than memory opens at once.
"""

import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import DamagedFileError, InputError, RangeError
from attnscope.results.base import SCHEMA, Asked, Measured, Result, type_of
from attnscope.results.files.quantised import dequantise as dequantise
from attnscope.results.files.quantised import mapped_arrays
from attnscope.results.files.quantised import quantise as quantise
from attnscope.results.files.quantised import quantise_signed as quantise_signed
from attnscope.results.files.reading import damage, parsed, shallow
from attnscope.results.files.schema1 import merged_parameters, upgraded
from attnscope.results.files.writing import write_atomically
from attnscope.results.tables import Columns
from attnscope.text.words import TokenSpan, WordSpan

# How many numbers a JSON file may hold before it is too large to be of use.
_MOST_JSON_WEIGHTS = 20_000_000

# What is measured while attention streams by: name -> (axes of its array, what it is). Means are over the chosen
# queries that are not special. In signed maps a share is that of the row's absolute weights.
STATISTICS: dict[str, tuple[tuple[str, ...], str]] = {
    "received": (("layer", "head", "key"), "mean share that a key receives from a query"),
    "entropy": (("layer", "head", "query"), "entropy of a query's row, in nats"),
    "special": (("layer", "head", "query"), "share of a query's row that special tokens take"),
    "distance": (("layer", "head"), "mean distance from query to key, in tokens, weighted by attention"),
    "previous": (("layer", "head"), "mean share on the token before the query"),
    "first": (("layer", "head"), "mean share on the first token of the input"),
    "same_word": (("layer", "head"), "mean share on the other tokens of the query's own word"),
    "negative": (("layer", "head"), "in signed maps: mean share of a row that is negative"),
    "top_keys": (("layer", "head", "query", "top"), "indices of the keys with the largest weights, largest first"),
    "top_weights": (("layer", "head", "query", "top"), "their weights; 0 where there is no such key"),
}


@dataclass(frozen=True)
class TextSide:
    """A text that attends or is attended to: its tokens as the model reads them, and its words.

    `tokens[i]` is position i of the model's input; words name their tokens by index.
    """

    text: str
    tokens: tuple[TokenSpan, ...]
    words: tuple[WordSpan, ...]


@dataclass(frozen=True, eq=False)
class AttentionMaps(Result):
    """Attention of chosen layers, heads, queries and keys.

    query_side, key_side: the texts; the same one unless it is cross-attention, from one to another.
    layers, heads, queries, keys: the chosen indices; queries and keys count the tokens of their sides.
    codes, largest: the maps as `quantise` encodes them, (layer, head, query, key) and (layer, head, query); None where
                    only statistics were kept.
    statistics:     arrays by the names of STATISTICS, those that were measured.
    asked:          which stack of attention, the unit, and the option `top`. measured: where a text was continued.
    provenance:     model, revision, dtype, versions.
    signed:         whether these are maps of linear attention, unrolled: weights of both signs, each layer on a scale
                    of its own, no shares. `codes` are then int8, and `largest` is without its sign.

    >>> maps = ats.attention_maps(model, "The castle on the hill", layers=[3]).words()
    >>> maps.weights(3, 0)[-1].round(2)  # what "hill" attends to
    array([0.43, 0.  , 0.01, 0.56, 0.  ], dtype=float32)
    """

    type: ClassVar[str] = "attention_maps"
    tables: ClassVar[tuple[str, ...]] = ("heads",)

    query_side: TextSide
    key_side: TextSide
    layers: tuple[int, ...]
    heads: tuple[int, ...]
    queries: tuple[int, ...]
    keys: tuple[int, ...]
    codes: NDArray[Any] | None
    largest: NDArray[np.float32] | None
    statistics: Mapping[str, NDArray[Any]]
    asked: Asked = field(default_factory=lambda: Asked(unit="token"))
    measured: Measured = field(default_factory=Measured)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    signed: bool = False

    def __post_init__(self) -> None:
        sizes = {"layer": self.layers, "head": self.heads, "query": self.queries, "key": self.keys}
        shapes = {
            name: (axes, self.statistics[name]) for name, (axes, _) in STATISTICS.items() if name in self.statistics
        }
        if (self.codes is None) != (self.largest is None):
            raise InputError("codes and largest belong together: give both or neither")
        if self.codes is not None and self.largest is not None:
            if (self.codes.dtype == np.int8) != self.signed:
                raise InputError(f"codes of {self.codes.dtype} with signed={self.signed}: signed maps have int8")
            shapes["codes"] = (("layer", "head", "query", "key"), self.codes)
            shapes["largest"] = (("layer", "head", "query"), self.largest)
        for name, (axes, array) in shapes.items():
            expected = tuple(
                len(sizes[axis]) if axis in sizes else size for axis, size in zip(axes, array.shape, strict=False)
            )
            if array.shape != expected or len(axes) != array.ndim:
                raise InputError(f"{name} has the shape {array.shape}; expected ({', '.join(axes)}) = {expected}")
        if unknown := [name for name in self.statistics if name not in STATISTICS]:
            raise InputError(f"there is no statistic {unknown[0]!r}; known are {', '.join(STATISTICS)}")
        for what, chosen, side in (("query", self.queries, self.query_side), ("key", self.keys, self.key_side)):
            if any(not 0 <= i < len(side.tokens) for i in chosen):
                raise InputError(f"a {what} is out of range: its text has the tokens 0 to {len(side.tokens) - 1}")

    @property
    def parameters(self) -> dict[str, Any]:
        """Deprecated: use `asked` and `measured`."""
        warnings.warn(
            "AttentionMaps.parameters is now in two: AttentionMaps.asked (its options too) and AttentionMaps.measured",
            DeprecationWarning,
            stacklevel=2,
        )
        told = merged_parameters(shallow(self.asked), shallow(self.measured))
        # Schema 1 named the unit of maps only where it was the word, and always named the stack.
        unit = {"unit": "word"} if self.asked.unit == "word" else {}
        return {**{k: v for k, v in told.items() if k != "unit"}, "attention": self.asked.stack, **unit}

    def weights(self, layer: int, head: int) -> NDArray[np.float32]:
        """The map of one head, (query, key). Layers and heads are the model's own indices, negative from the end."""
        if self.codes is None or self.largest is None:
            raise InputError("only statistics were kept, no maps: ask for them with attention_maps(…, maps=True)")
        place = self._place("layer", layer), self._place("head", head)
        return dequantise(self.codes[place], self.largest[place])

    def row(self, layer: int, head: int, query: int) -> NDArray[np.float32]:
        """What one query token attends to, (key,)."""
        if self.codes is None or self.largest is None:
            raise InputError("only statistics were kept, no maps: ask for them with attention_maps(…, maps=True)")
        place = self._place("layer", layer), self._place("head", head), self._place("query", query)
        return dequantise(self.codes[place], self.largest[place])

    def received(self, layer: int, head: int) -> NDArray[np.float32]:
        """What each key receives from the queries that are not special, on average, (key,)."""
        if "received" in self.statistics:
            place = self._place("layer", layer), self._place("head", head)
            return np.asarray(self.statistics["received"][place], dtype=np.float32)
        shown = [i for i, q in enumerate(self.queries) if not self.query_side.tokens[q].special]
        return np.asarray(self.weights(layer, head)[shown].mean(0), dtype=np.float32)

    def _columns(self, of: str) -> Columns:  # noqa: ARG002 -- there is one table
        """One row for each layer and head. Statistics of queries are means over those that are not special."""
        shown = [i for i, q in enumerate(self.queries) if not self.query_side.tokens[q].special]
        table: Columns = {
            "layer": np.repeat(self.layers, len(self.heads)),
            "head": np.tile(self.heads, len(self.layers)),
        }
        for name, array in self.statistics.items():
            axes = STATISTICS[name][0]
            if axes == ("layer", "head"):
                table[name] = np.asarray(array).ravel()
            elif axes == ("layer", "head", "query"):
                table[name] = np.asarray(array)[:, :, shown].mean(-1).ravel()
        return table

    def words(self) -> Self:
        """The same maps with words for tokens: summed over a word's keys, averaged over its queries.

        Special tokens are left out, and so are words of which no token was chosen. Entropy and shares are still those
        of tokens, averaged over the query word's tokens; the largest keys are dropped.
        """
        query_side, queries, query_members = _by_word(self.query_side, self.queries)
        key_side, keys, key_members = _by_word(self.key_side, self.keys)
        codes = largest = None
        if self.codes is not None and self.largest is not None:
            encode = quantise_signed if self.signed else quantise
            codes = np.empty((len(self.layers), len(self.heads), len(queries), len(keys)), dtype=self.codes.dtype)
            largest = np.empty(codes.shape[:3], dtype=np.float32)
            for place in np.ndindex(codes.shape[:2]):
                whole = dequantise(self.codes[place], self.largest[place])
                codes[place], largest[place] = encode(_mean_of(_sum_of(whole, key_members), query_members))
        statistics = {}
        for name, array in self.statistics.items():
            axes = STATISTICS[name][0]
            if axes[-1] == "key":
                statistics[name] = _sum_of(np.asarray(array), key_members)
            elif axes[-1] == "query":
                statistics[name] = _mean_of(np.asarray(array)[..., None], query_members)[..., 0]
            elif axes[-1] == "head":
                statistics[name] = array
        return replace(
            self, query_side=query_side, key_side=key_side, queries=queries, keys=keys, codes=codes, largest=largest,
            statistics=statistics, asked=replace(self.asked, unit="word"),
        )  # fmt: skip

    def _place(self, what: str, index: int) -> int:
        chosen: tuple[int, ...] = {"layer": self.layers, "head": self.heads, "query": self.queries}[what]
        if index < 0 and what == "query":
            index += len(self.query_side.tokens)
        elif index < 0:
            index = chosen[index] if -len(chosen) <= index else index
        if index not in chosen:
            shown = ", ".join(map(str, chosen[:8])) + (" …" if len(chosen) > 8 else "")
            raise RangeError(f"the {what} {index} is not among those kept: {shown}")
        return chosen.index(index)

    def __repr__(self) -> str:
        shape = (
            f"{len(self.layers)} layers × {len(self.heads)} heads × {len(self.queries)} queries × {len(self.keys)} keys"
        )
        kept = f"{self.codes.nbytes / 1e6:,.1f} MB of maps" if self.codes is not None else "no maps"
        return f"<AttentionMaps {shape}: {kept}, {', '.join(self.statistics) or 'no statistics'}>"

    def _body(self) -> dict[str, Any]:
        count = 0 if self.codes is None else self.codes.size
        if count > _MOST_JSON_WEIGHTS:
            raise InputError(
                f"the maps hold {count:,} weights, too many for JSON: save them as .safetensors, or choose layers, "
                "heads, queries or keys"
            )
        body = self._header()
        body["statistics"] = {name: _rounded(array) for name, array in self.statistics.items()}
        if self.codes is not None:
            body["weights"] = [[_rounded(self.weights(layer, head)) for head in self.heads] for layer in self.layers]
        return body

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        """The maps from JSON, which has four digits per weight; they are encoded in 8 bits again."""
        arrays = {f"statistics.{name}": _array(name, values) for name, values in data["statistics"].items()}
        if "weights" in data:
            encode = quantise_signed if data.get("signed") else quantise
            arrays["codes"], arrays["largest"] = encode(np.array(data["weights"], dtype=np.float32))
        return cls._of(data, arrays)

    @classmethod
    def _of(cls, data: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        query_side = _side(data["query_side"])
        return cls(
            query_side=query_side,
            key_side=_side(data["key_side"]) if "key_side" in data else query_side,
            layers=tuple(map(int, data["layers"])),
            heads=tuple(map(int, data["heads"])),
            queries=tuple(map(int, data["queries"])),
            keys=tuple(map(int, data["keys"])),
            codes=arrays.get("codes"),
            largest=arrays.get("largest"),
            statistics={
                name.removeprefix("statistics."): array
                for name, array in arrays.items()
                if name.startswith("statistics.")
            },
            asked=Asked.read(data["asked"]),
            measured=Measured.read(data["measured"]),
            provenance=data["provenance"],
            signed=bool(data.get("signed", False)),
        )

    def _header(self) -> dict[str, Any]:
        sides = {"query_side": self.query_side}
        if self.key_side != self.query_side:
            sides["key_side"] = self.key_side
        return {
            "asked": shallow(self.asked),
            "measured": shallow(self.measured),
            **{
                name: {
                    "text": side.text,
                    "tokens": [
                        {"text": t.text, "start": t.start, "end": t.end, "special": t.special} for t in side.tokens
                    ],
                    "words": [{"start": w.start, "end": w.end, "tokens": list(w.tokens)} for w in side.words],
                }
                for name, side in sides.items()
            },
            "layers": list(self.layers),
            "heads": list(self.heads),
            "queries": list(self.queries),
            "keys": list(self.keys),
            "provenance": dict(self.provenance),
            **({"signed": True} if self.signed else {}),
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one safetensors file, whole or not at all: arrays by name, everything else as JSON in its metadata."""
        from safetensors import SafetensorError
        from safetensors.numpy import save_file

        arrays = {f"statistics.{name}": np.ascontiguousarray(array) for name, array in self.statistics.items()}
        if self.codes is not None and self.largest is not None:
            arrays |= {"codes": np.ascontiguousarray(self.codes), "largest": np.ascontiguousarray(self.largest)}
        # safetensors needs at least one array.
        arrays = arrays or {"statistics": np.zeros(0, dtype=np.float32)}
        header = {"schema": SCHEMA, "type": self.type, **self._header()}
        metadata = {"attnscope": json.dumps(header, ensure_ascii=True)}

        def write(temporary: Path) -> None:
            try:
                save_file(arrays, temporary, metadata=metadata)
            except SafetensorError as error:  # its word for what the system said, such as a full disk
                raise OSError(str(error)) from error

        write_atomically(path, write)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open what `save` wrote; the arrays stay on disk until they are used.

        Raises FileNotFoundError, or DamagedFileError saying what is wrong with the file.
        """
        from safetensors import SafetensorError, safe_open

        path = Path(path).expanduser()
        try:
            with safe_open(os.fspath(path), framework="numpy") as file:  # checks the header against the file
                metadata = file.metadata() or {}
            arrays = mapped_arrays(Path(path))
        except (SafetensorError, ValueError) as error:
            raise DamagedFileError(f"{path} is not a safetensors file that can be read ({error})") from error
        except KeyError as error:
            raise DamagedFileError(
                f"{path} holds numbers of the type {error}, no attention maps of attnscope's"
            ) from error
        if "attnscope" not in metadata:
            raise DamagedFileError(f"{path} holds no attention maps of attnscope's")
        with damage(str(path)):
            data = upgraded(parsed(metadata["attnscope"], str(path)))
            if (given := type_of(data)) != cls.type:
                raise ValueError(f"its type is {given!r}, not {cls.type!r}")
            return cls._of(data, arrays)


def _by_word(side: TextSide, chosen: tuple[int, ...]) -> tuple[TextSide, tuple[int, ...], list[list[int]]]:
    """The side with one token per chosen word; the words' indices; and the places of each word's tokens in `chosen`."""
    place = {token: i for i, token in enumerate(chosen)}
    kept = [word for word in side.words if any(token in place for token in word.tokens)]
    spans = tuple(TokenSpan(side.text[w.start : w.end], w.start, w.end, False) for w in kept)
    words = tuple(WordSpan(w.start, w.end, (i,)) for i, w in enumerate(kept))
    members = [[place[token] for token in word.tokens if token in place] for word in kept]
    return TextSide(side.text, spans, words), tuple(range(len(kept))), members


def _sum_of(array: NDArray[Any], members: list[list[int]], axis: int = -1) -> NDArray[np.float32]:
    """(…, token) -> (…, word)"""
    if not members:
        return np.zeros((*array.shape[:axis], 0, *array.shape[axis:][1:]), dtype=np.float32)
    order = [token for tokens in members for token in tokens]
    starts = np.cumsum([0, *(len(tokens) for tokens in members[:-1])])
    return np.add.reduceat(array.take(order, axis).astype(np.float32, copy=False), starts, axis)


def _mean_of(array: NDArray[Any], members: list[list[int]]) -> NDArray[np.float32]:
    """(…, token, key) -> (…, word, key)"""
    counts = np.array([len(tokens) for tokens in members], dtype=np.float32)
    return _sum_of(array, members, -2) / counts[:, None]


def _array(name: str, values: Any) -> NDArray[Any]:
    return np.array(values, dtype=np.int32 if name == "top_keys" else np.float32)


def _rounded(array: NDArray[Any]) -> Any:
    if array.dtype.kind in "iu":
        return array.tolist()
    return [_rounded(part) for part in array] if array.ndim > 1 else [float(f"{value:.4g}") for value in array.tolist()]


def _side(data: Mapping[str, Any]) -> TextSide:
    text = data["text"]
    return TextSide(
        text,
        tuple(TokenSpan(t["text"], t["start"], t["end"], t["special"]) for t in data["tokens"]),
        tuple(WordSpan(w["start"], w["end"], tuple(w["tokens"])) for w in data["words"]),
    )
