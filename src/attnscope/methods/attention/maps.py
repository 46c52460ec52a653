"""The attention of the whole model, streamed: maps in 8 bits, and statistics measured while they stream by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnscope.errors import InputError, RangeError
from attnscope.methods.attention.layers import attending_layer, coverage, layout_beside, linear_layer, linear_of
from attnscope.methods.build import asked_of_chat, measured_of_chat, provenance
from attnscope.methods.calls.many import checked_list
from attnscope.methods.plan import MAPS, Chosen, foresee, foresee_generation
from attnscope.methods.request import FollowingOptions, Request, in_range, requested
from attnscope.models.architecture import configured
from attnscope.models.attention.capture import capture
from attnscope.models.attention.interface import AttentionCall, Block
from attnscope.models.attention.layout import attention_layout
from attnscope.models.attention.query_key_batch import QueryKeyBatch, query_key_batches, query_key_texts
from attnscope.models.default_settings import default_settings
from attnscope.models.inputs.encode import Encoded
from attnscope.models.linear_attention.call import LinearCall
from attnscope.models.linear_attention.capture import capture_linear
from attnscope.models.loading.load import Model, load
from attnscope.results.attention_maps import AttentionMaps, TextSide, quantise, quantise_signed
from attnscope.results.base import Asked, Measured
from attnscope.results.plain import plain_lists, plain_numbers
from attnscope.text.inputs import Given, Messages, is_one, paired

# The names of FollowingOptions.
OPTIONS = tuple(FollowingOptions.__annotations__)


@dataclass(frozen=True)
class Selection:
    """What to keep: indices, or None for all; whether to keep maps; how many of a query's largest keys."""

    layers: Sequence[int] | None
    heads: Sequence[int] | None
    queries: Sequence[int] | None
    keys: Sequence[int] | None
    maps: bool
    top: int
    linear: bool | None


@overload
def attention_maps(  # type: ignore[overload-overlap]  # a str is a Sequence[str] too
    model: Model,
    text: str | Messages,
    layers: Sequence[int] | None = ...,
    heads: Sequence[int] | None = ...,
    queries: Sequence[int] | None = ...,
    keys: Sequence[int] | None = ...,
    *,
    maps: bool = ...,
    top: int = ...,
    linear: bool | None = ...,
    **options: Unpack[FollowingOptions],
) -> AttentionMaps: ...
@overload
def attention_maps(
    model: Model,
    text: Sequence[str | Messages],
    layers: Sequence[int] | None = ...,
    heads: Sequence[int] | None = ...,
    queries: Sequence[int] | None = ...,
    keys: Sequence[int] | None = ...,
    *,
    maps: bool = ...,
    top: int = ...,
    linear: bool | None = ...,
    **options: Unpack[FollowingOptions],
) -> list[AttentionMaps]: ...
def attention_maps(
    model: Model,
    text: Given,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    queries: Sequence[int] | None = None,
    keys: Sequence[int] | None = None,
    *,
    maps: bool = True,
    top: int = 32,
    linear: bool | None = None,
    **options: Unpack[FollowingOptions],
) -> AttentionMaps | list[AttentionMaps]:
    """Attention of chosen layers × heads × queries × keys (None: all), with statistics of every layer and head.

    layers, heads, queries, keys: indices, negative from the end; queries and keys count tokens, special ones too.
    maps: keep the maps themselves, in 8 bits (`attnscope.results.files.quantised` states the error). With False only
          the statistics are kept: they are measured before rounding, and grow with the tokens, not with their square.
    top:  how many of a query's largest keys to keep; 0 for none.
    linear: True for the maps of the layers of linear attention, unrolled (`attnscope.methods.attention.attention`):
          signed, each layer on its own scale. None: those only where the model, or the layers chosen, have no weights.
    stack, target, generate, chat, truncate, tools, chat_template_kwargs: see `attnscope.methods.request.Options`. With
          `generate`, the map covers the prompt and the tokens generated after it, from one teacher-forced pass.

    Statistics (STATISTICS in `attnscope.results.attention_maps`) are over all keys and the chosen queries. A list of
    texts gives a list. Only a block of one layer's rows exists at a time. Raises what `attention` raises.

    >>> maps = ats.attention_maps(model, "The castle on the hill", layers=[3, 18])
    >>> maps.layers, len(maps.heads), maps.weights(18, 6).shape
    ((3, 18), 9, (5, 5))
    """
    top = plain_numbers(top)
    if not isinstance(top, int) or isinstance(top, bool) or top < 0:
        raise InputError(f"top={top!r}: expected 0 or more keys")
    _, request = requested(options, {}, OPTIONS, MAPS.name)
    layers, heads, queries, keys = (plain_lists(indices) for indices in (layers, heads, queries, keys))
    selection = Selection(layers, heads, queries, keys, maps, top, linear)
    target, generate = request.following()
    model = load(model)
    text = text if is_one(text) else paired(checked_list(text), request.text_pair)
    results: dict[int, AttentionMaps] = {}
    with default_settings():
        texts = query_key_texts(
            model, text, stack=request.stack, target=target, generate=generate, reading=request.reading
        )
        foresee_generation(texts)
        for batch in query_key_batches(texts):
            results.update(zip(batch.members, maps_of_batch(batch, selection, request), strict=True))
    return results[0] if is_one(text) else [results[i] for i in range(len(results))]


def maps_of_batch(
    batch: QueryKeyBatch, selection: Selection, request: Request, kept: Mapping[int, AttentionCall] | None = None
) -> list[AttentionMaps]:
    """The maps of a batch of texts, by one pass; of `kept`, the calls of a pass that has run, without another."""
    layers, heads_of, signed = _layers(batch, selection)
    counts = {heads_of[i] for i in layers}
    if len(counts) > 1:
        raise RangeError(
            f"the layers chosen have different numbers of heads ({sorted(counts)}): ask for them one by one"
        )
    heads = _chosen("head", selection.heads, counts.pop())
    queries, keys = selection.queries, selection.keys
    size = Chosen(
        len(layers),
        len(heads),
        None if queries is None else len(queries),
        None if keys is None else len(keys),
        selection.maps,
        selection.top,
    )
    foresee(batch.model, MAPS, max(len(encoded.tokens) for encoded in batch.keys), chosen=size)
    streams = [
        _Stream(
            query_side,
            key_side,
            heads,
            _chosen("query", queries, len(query_side.tokens)),
            _chosen("key", keys, len(key_side.tokens)),
            len(layers),
            selection.maps,
            selection.top,
            signed=signed,
        )
        for query_side, key_side in zip(batch.queries, batch.keys, strict=True)
    ]
    # The queries of all texts; each text then takes its own.
    wanted = torch.tensor(sorted({query for stream in streams for query in stream.queries}), dtype=torch.long)

    def see(layer: int, call: AttentionCall) -> None:
        place = layers.index(layer)
        for block in call.blocks(wanted):
            for i, stream in enumerate(streams):
                stream.take(place, block, i)

    measured = _measured(batch, selection, layers, signed=signed)
    if signed:
        missed = [0.0]

        def see_linear(layer: int, call: LinearCall) -> None:
            see(layer, call)
            missed.append(call.missed)

        capture_linear(batch.model.model, batch.inputs, layers, see_linear)
        measured = replace(measured, rebuilt=max(missed))
    elif kept is not None and all(layer in kept for layer in layers):
        for layer in layers:
            see(layer, kept[layer])
    else:
        capture(batch.model.model, batch.inputs, layers, see, batch.stack)
    return [
        stream.result(
            layers,
            Asked(
                options={"top": selection.top},
                unit="token",
                stack=batch.stack,
                truncate=request.truncate,
                **asked_of_chat(read),
            ),
            replace(measured, continued_at=given, **measured_of_chat(read)),
            provenance(batch.model),
        )
        for stream, given, read in zip(streams, batch.prompts, batch.keys, strict=True)
    ]


def _layers(batch: QueryKeyBatch, selection: Selection) -> tuple[tuple[int, ...], dict[int, int], bool]:
    """The layers whose maps are meant, the heads of all that have such maps, and whether these are signed."""
    model, stack, asked = batch.model, batch.stack, selection.linear
    linear = {} if asked is False else linear_of(model, batch.inputs, stack)
    layout = None if asked else layout_beside(model, batch.inputs, stack, linear)
    count = configured(model.model, "num_hidden_layers") or 0
    if layout is not None:
        heads = layout.heads_of(stack)
        count_here = len(layout.kinds_of(stack))
        places = [max(heads) if i == -1 else in_range("layer", i, count_here) for i in selection.layers or ()]
        unrolled = [i for i in places if i not in heads and i in linear]
        if not unrolled:
            chosen = heads if selection.layers is None else selection.layers
            return _sorted("layer", [attending_layer(model, layout, stack, i) for i in chosen]), heads, False
        if other := [i for i in places if i not in unrolled and i in heads]:
            raise RangeError(
                f"layer {other[0]} has attention weights and layer {unrolled[0]} linear attention, whose maps are "
                "signed and on their own scale: ask for these layers by themselves, or for all with linear=True"
            )
    every = list(linear) if selection.layers is None and linear else selection.layers
    chosen_linear = [linear_layer(model, linear, count, i) for i in (every if every is not None else [-1])]
    return _sorted("layer", chosen_linear), {i: of.heads for i, of in linear.items()}, True


def _measured(batch: QueryKeyBatch, selection: Selection, layers: Sequence[int], *, signed: bool) -> Measured:
    """What is known of all layers' maps before a pass."""
    if signed:
        linear = linear_of(batch.model, batch.inputs, batch.stack)
        return Measured(mechanism=linear[layers[0]].mechanism)
    layout = attention_layout(batch.model.model, batch.inputs, batch.stack)
    return Measured(coverage=coverage(layout, batch.stack) if selection.layers is None else None)


def _chosen(what: str, indices: Sequence[int] | None, count: int) -> tuple[int, ...]:
    if indices is None:
        return tuple(range(count))
    return _sorted(what, [in_range(what, index, count) for index in indices])


def _sorted(what: str, indices: Sequence[int]) -> tuple[int, ...]:
    if not indices:
        raise RangeError(f"no {what} was chosen: give at least one index, or None for all")
    return tuple(sorted(set(indices)))


class _Stream:
    """One text's arrays, filled block by block."""

    def __init__(
        self,
        query_side: Encoded,
        key_side: Encoded,
        heads: tuple[int, ...],
        queries: tuple[int, ...],
        keys: tuple[int, ...],
        layers: int,
        maps: bool,
        top: int,
        *,
        signed: bool,
    ) -> None:
        self.sides = query_side, key_side
        self.heads, self.queries, self.keys = heads, queries, keys
        self.place = {query: i for i, query in enumerate(queries)}
        self.count = len(key_side.tokens)
        self.signed = signed
        self.special = torch.tensor([token.special for token in key_side.tokens])
        self.same_text = query_side is key_side
        # Means are over the queries that are not special, or over all where all are special.
        averaged = [q for q in queries if not query_side.tokens[q].special] or list(queries)
        self.weight = torch.zeros(len(query_side.tokens))
        self.weight[averaged] = 1 / len(averaged)
        self.pairs = _pairs_in_words(query_side) if self.same_text else torch.zeros(2, 0, dtype=torch.long)
        shape = (layers, len(heads))
        codes_shape = (*shape, len(queries), len(keys))
        self.codes = np.zeros(codes_shape, dtype=np.int8 if signed else np.uint8) if maps else None
        self.largest = np.zeros((*shape, len(queries)), dtype=np.float32) if maps else None
        self.statistics: dict[str, NDArray[Any]] = {
            "received": np.zeros((*shape, len(keys)), dtype=np.float32),
            "entropy": np.zeros((*shape, len(queries)), dtype=np.float32),
            "special": np.zeros((*shape, len(queries)), dtype=np.float32),
            "first": np.zeros(shape, dtype=np.float32),
        }
        if signed:
            self.statistics["negative"] = np.zeros(shape, dtype=np.float32)
        if self.same_text:
            self.statistics |= {n: np.zeros(shape, dtype=np.float32) for n in ("distance", "previous", "same_word")}
        self.top = min(top, self.count)
        if self.top:
            top_shape = (*shape, len(queries), self.top)
            self.statistics["top_keys"] = np.zeros(top_shape, dtype=np.uint16 if self.count <= 2**16 else np.int32)
            self.statistics["top_weights"] = np.zeros(top_shape, dtype=np.float32 if signed else np.float16)

    def take(self, layer: int, block: Block, text: int) -> None:
        """Take this text's rows from a block."""
        rows_of_text = [i for i, query in enumerate(block.queries.tolist()) if query in self.place]
        if not rows_of_text:
            return
        queries = block.queries[rows_of_text]
        weights = block.weights[text][list(self.heads)]
        if len(rows_of_text) < len(block.queries):
            weights = weights[:, rows_of_text]
        seen = min(self.count, weights.shape[-1])
        weights = weights[..., :seen].contiguous()  # (head, query, key): without padding
        places = [self.place[query] for query in queries.tolist()]
        rows = slice(places[0], places[-1] + 1)
        shares = weights
        if self.signed:
            sizes = weights.abs()
            shares = sizes / sizes.sum(-1, keepdim=True).clamp_min(torch.finfo(sizes.dtype).tiny)
            mean = self.weight[queries].to(weights)
            self.statistics["negative"][layer] += ((shares * (weights < 0)).sum(-1) @ mean).cpu().numpy()
        self._measure(layer, rows, queries, shares)
        if self.top:
            where = shares.topk(min(self.top, seen), -1).indices
            most = weights.gather(-1, where)
            self.statistics["top_keys"][layer, :, rows, : most.shape[-1]] = where.cpu().numpy()
            self.statistics["top_weights"][layer, :, rows, : most.shape[-1]] = most.cpu().numpy()
        if self.codes is not None and self.largest is not None:
            chosen = weights.cpu().numpy()
            if len(self.keys) < self.count:
                chosen = chosen[..., [key for key in self.keys if key < seen]]
            codes, self.largest[layer, :, rows] = quantise_signed(chosen) if self.signed else quantise(chosen)
            self.codes[layer, :, rows, : codes.shape[-1]] = codes

    def _measure(self, layer: int, rows: slice, queries: Tensor, weights: Tensor) -> None:
        seen = weights.shape[-1]
        device = weights.device
        mean = self.weight[queries].to(device)
        statistics = self.statistics
        received = torch.einsum("hqk,q->hk", weights, mean).cpu().numpy()
        known = [key for key in self.keys if key < seen]
        statistics["received"][layer][:, : len(known)] += (
            received[:, known] if len(self.keys) < self.count else received
        )
        # A weight of 0 adds nothing to the entropy: clamping gives that at half the cost of torch.special.entr.
        logs = weights.clamp_min(torch.finfo(torch.float32).tiny).log_().mul_(weights)
        statistics["entropy"][layer, :, rows] = -logs.sum(-1).cpu().numpy()
        statistics["special"][layer, :, rows] = (weights @ self.special[:seen].to(weights)).cpu().numpy()
        statistics["first"][layer] += (weights[..., 0] @ mean).cpu().numpy()
        if self.same_text:
            keys = torch.arange(seen, device=device)
            places = queries.to(device)
            apart = (places[:, None] - keys).abs_().to(weights)  # (query, key)
            statistics["distance"][layer] += torch.einsum("hqk,qk,q->h", weights, apart, mean).cpu().numpy()
            before = weights.gather(-1, (places - 1).clamp_min(0)[None, :, None].expand(len(weights), -1, 1))[..., 0]
            statistics["previous"][layer] += (before @ (mean * (places > 0))).cpu().numpy()
            statistics["same_word"][layer] += self._in_words(queries, weights, mean).cpu().numpy()

    def _in_words(self, queries: Tensor, weights: Tensor, mean: Tensor) -> Tensor:
        """(head,) The share on the other tokens of each query's own word."""
        here = torch.isin(self.pairs[0], queries) & (self.pairs[1] < weights.shape[-1])
        of, keys = self.pairs[:, here]
        rows = torch.searchsorted(queries, of)
        return weights[:, rows, keys] @ mean[rows]

    def result(
        self, layers: tuple[int, ...], asked: Asked, measured: Measured, provenance: Mapping[str, Any]
    ) -> AttentionMaps:
        """The maps and statistics that have been filled in."""
        query_side, key_side = (TextSide(side.text, side.tokens, side.words) for side in self.sides)
        return AttentionMaps(
            query_side=query_side,
            key_side=query_side if self.same_text else key_side,
            layers=layers,
            heads=self.heads,
            queries=self.queries,
            keys=self.keys,
            codes=self.codes,
            largest=self.largest,
            statistics=self.statistics,
            asked=asked,
            measured=measured,
            provenance=provenance,
            signed=self.signed,
        )


def _pairs_in_words(encoded: Encoded) -> Tensor:
    """(2, pair): every token paired with each other token of its word, ordered by the first."""
    pairs = sorted((a, b) for word in encoded.words for a in word.tokens for b in word.tokens if a != b)
    return torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T
