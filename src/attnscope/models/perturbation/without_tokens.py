"""A text with some of its tokens taken away, and the target's value on it: by the hundred.

Problems solved here:
- taking tokens away moves the places that the target is read at; entries about the text's own tokens go with them;
- hundreds of variants go in batches of similar length under a budget of tokens;
- in a causal model everything before the first change stays as it was: its keys and values are computed once and the
  variants begin where they differ. Whether a model takes that well is found out on its first text.
"""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from attnscope.errors import InputError
from attnscope.models.architecture import task_of
from attnscope.models.embeddings import baseline_id, baseline_vector
from attnscope.models.hooks import embeddings_replaced
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.load import Model
from attnscope.models.targets.head_split import split_at_head
from attnscope.models.targets.lm_head import head_entries
from attnscope.models.targets.readout import Reading, entries_of, places
from attnscope.models.targets.target import Objective

# How tokens are taken away: left out of the input, or overwritten by a token, a neutral word or an embedding.
WAYS = ("delete", "mask", "pad", "neutral", "zero", "mean")
# Words that say next to nothing: the first that is one token of the model's.
NEUTRAL = (" the", "the", "の", "的", ".")
# Tokens of one batch behind a shared prefix: a larger batch takes memory and no less time.
BUDGET = 1024
# What a layer's keys and values, prefix and all, may take for the rows of a batch, in bytes: late words of a long text
# have short rests and long prefixes.
CACHE_BYTES = 64 * 2**20
# What the two ways of computing may differ by, relative to the largest entry.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class _Variant:
    """A reading with tokens taken away; `kept`: which of its entries are left. `first`: the first changed token."""

    reading: Reading
    kept: tuple[int, ...]
    first: int
    overwritten: tuple[int, ...] = ()


def default_way(model: Model) -> str:
    """The mask token where there is one, else the mean embedding."""
    return "mean" if model.tokenizer.mask_token_id is None else "mask"


def without(model: Model, objective: Objective, taken: Sequence[frozenset[int]], way: str) -> Tensor:
    """The target's values when the tokens of each set are taken away: (set, target), float64.

    What a causal model reads before the first taken token does not change by a bit.

    way: "delete" leaves the tokens out: entries about them go too (the loss of a text is that of what is left), and
        where nothing is left before the target, the model's start token stands in. The others overwrite the tokens and
        leave every entry in place.

    Raises InputError for another way, for a token that the target stands on, and where nothing is left to predict.
    """
    if way not in WAYS:
        raise InputError(f"{way!r} is no way to take words away: choose from {', '.join(WAYS)}")
    if any(tokens & set(objective.fixed) for tokens in taken):
        raise InputError("the target stands on a token that was to be taken away: take away another")
    vector = baseline_vector(model, way) if way in ("zero", "mean") else None
    total: Tensor | None = None
    for reading in objective.readings:
        variants = [_variant(model, reading, tokens, way) for tokens in taken]
        values = torch.stack(_values(model.model, reading, variants, vector))
        total = values if total is None else total + values
    assert total is not None
    return total


def _variant(model: Model, reading: Reading, taken: frozenset[int], way: str) -> _Variant:
    first = min(taken, default=len(reading.inputs["input_ids"]))
    everything = tuple(range(len(reading.ids)))
    if way in ("zero", "mean"):
        inside = tuple(sorted(i for i in taken if i < len(reading.inputs["input_ids"])))
        return _Variant(reading, everything, first, inside)
    if way != "delete":
        identity = neutral_id(model) if way == "neutral" else baseline_id(model, way)
        ids = [identity if i in taken else old for i, old in enumerate(reading.inputs["input_ids"])]
        return _Variant(replace(reading, inputs={**reading.inputs, "input_ids": ids}), everything, first)
    return _deleted(model, reading, taken, first) if taken else _Variant(reading, everything, first)


def _deleted(model: Model, reading: Reading, taken: frozenset[int], first: int) -> _Variant:
    length = len(reading.inputs["input_ids"])
    left = [i for i in range(length) if i not in taken]
    inputs = {name: [values[i] for i in left] for name, values in reading.inputs.items()}
    places_left = {old: new for new, old in enumerate([*left, length])}
    if reading.decoder or task_of(model.model) == "classifier":
        if not left:
            raise InputError("without these words the model has nothing to read: choose smaller units")
        return _Variant(replace(reading, inputs=inputs), tuple(range(len(reading.ids))), first)
    kept, positions = [], []
    for entry, position in enumerate(reading.positions):
        about = position + reading.ahead
        if about in places_left and (places_left[about] >= reading.ahead or not reading.own):
            kept.append(entry)
            positions.append(places_left[about] - reading.ahead)
    if not kept:
        raise InputError("without these words nothing is left to predict: choose smaller units, or give a target")
    if min(positions) < 0:
        start = _start_id(model)
        fill = {"input_ids": start, "attention_mask": 1}
        inputs = {name: [fill.get(name, 0), *values] for name, values in inputs.items()}
        positions = [position + 1 for position in positions]
    changed = replace(
        reading,
        inputs=inputs,
        positions=tuple(positions),
        ids=tuple(reading.ids[i] for i in kept),
        signs=tuple(reading.signs[i] for i in kept),
    )
    return _Variant(changed, tuple(kept), first)


def neutral_id(model: Model) -> int:
    """The first of NEUTRAL that is one token. Raises InputError where none is."""
    for word in NEUTRAL:
        ids = model.tokenizer(word, add_special_tokens=False, verbose=False)["input_ids"]
        if len(ids) == 1 and ids[0] != model.tokenizer.unk_token_id:
            return int(ids[0])
    raise InputError("the tokenizer has no neutral word of one token: choose another way, such as 'mean'")


def _start_id(model: Model) -> int:
    tokenizer = model.tokenizer
    for identity in (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id):
        if identity is not None:
            return int(identity)
    raise InputError("without these words nothing stands before the target, and the tokenizer has no start token")


def _values(net: PreTrainedModel, base: Reading, variants: Sequence[_Variant], vector: Tensor | None) -> list[Tensor]:
    """The value (target,) of each variant."""
    causal = task_of(net) == "causal"
    with unchanged(net), torch.no_grad():
        if causal and reuses_prefix(net, base):
            before, entries = _behind_prefix(net, base, variants, vector)
        else:
            readings = [base, *(v.reading for v in variants)]
            found = entries_of(net, readings, at=_overwrite([base, *variants], vector))
            before, entries = found[0], found[1:]
    values = []
    for variant, found_entries in zip(variants, entries, strict=True):
        # Entries that read nothing of the change are those of the unchanged text, to the last bit; so are those about
        # a taken token itself, of which a per-token target has one: taking it away says nothing about it.
        merged = found_entries.clone()
        for i, entry in enumerate(variant.kept):
            if causal and base.positions[entry] < variant.first:
                merged[i] = before[entry]
        if base.per_token:
            full = before.clone()
            full[list(variant.kept)] = merged
            values.append(base.value(full))
        else:
            values.append(variant.reading.value(merged))
    return [value.double().cpu() for value in values]


def _overwrite(
    variants: Sequence[_Variant | Reading], vector: Tensor | None, start: int = 0
) -> Callable[[Tensor, Sequence[int]], Tensor] | None:
    """What puts `vector` in the place of the overwritten tokens, of which the first `start` are not in the pass."""
    if vector is None:
        return None

    def change(embeddings: Tensor, members: Sequence[int]) -> Tensor:
        embeddings = embeddings.clone()
        for row, member in enumerate(members):
            variant = variants[member]
            if isinstance(variant, _Variant) and variant.overwritten:
                embeddings[row, [i - start for i in variant.overwritten]] = vector.to(embeddings)
        return embeddings

    return change


_reuse: weakref.WeakKeyDictionary[PreTrainedModel, bool] = weakref.WeakKeyDictionary()


def reuses_prefix(net: PreTrainedModel, base: Reading) -> bool:
    """Whether a pass that goes on from kept keys and values gives what the whole pass gives; found out once a model."""
    if net not in _reuse:
        length = len(base.inputs["input_ids"])
        if length < 4 or "token_type_ids" in base.inputs:
            return False
        _reuse[net] = _agrees(net, base, length // 2)
    return _reuse[net]


def _agrees(net: PreTrainedModel, base: Reading, start: int) -> bool:
    late = [i for i, position in enumerate(base.positions) if position >= start]
    if not late:
        return False
    try:
        with unchanged(net), torch.no_grad():
            whole, cache = _whole(net, base)
            (again,) = _suffixes(net, [_Variant(base, tuple(range(len(base.ids))), start)], cache, start, None)
    except (TypeError, ValueError, AttributeError, IndexError, RuntimeError, NotImplementedError, KeyError):
        return False
    error = (whole[late] - again).abs().max()
    return bool(error <= TOLERANCE * whole.abs().max().clamp(min=1.0))


def _whole(net: PreTrainedModel, base: Reading) -> tuple[Tensor, DynamicCache]:
    """The unchanged text's entries, and its keys and values."""
    cache = DynamicCache()
    ids = _row_of_ids(net, [list(base.inputs["input_ids"])])
    at = places([base], ids.device)
    with split_at_head(net, {"input_ids": ids, "past_key_values": cache}) as (hidden, head):
        entries = head_entries(net, hidden[0, at.positions], head, at.ids, base.quantity)
    if cache.get_seq_length() != ids.shape[1]:
        raise NotImplementedError("the model does not fill the cache that it is given")
    return entries, cache


def _row_of_ids(net: PreTrainedModel, rows: Sequence[Sequence[int]]) -> Tensor:
    """(batch, token), padded on the right: behind a causal model's back, what comes later is not read."""
    longest = max(len(row) for row in rows)
    device = net.get_input_embeddings().weight.device
    return torch.tensor([[*row, *[row[-1]] * (longest - len(row))] for row in rows], device=device)


def _behind_prefix(
    net: PreTrainedModel, base: Reading, variants: Sequence[_Variant], vector: Tensor | None
) -> tuple[Tensor, list[Tensor]]:
    before, cache = _whole(net, base)
    length = len(base.inputs["input_ids"])
    found: dict[int, Tensor] = {}
    # The token before the change is read again: an entry may stand on it.
    starts = [min(max(v.first - 1, 0), length - 1) for v in variants]
    order = sorted(range(len(variants)), key=lambda i: -starts[i])
    most = max(1, CACHE_BYTES // max(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers))
    while order:
        size = 1
        while size < min(most, len(order)) and (size + 1) * (length + 1 - starts[order[size]]) <= BUDGET:
            size += 1
        members, order = order[:size], order[size:]
        start = min(starts[i] for i in members)
        group = [variants[i] for i in members]
        for i, late in zip(members, _suffixes(net, group, cache, start, vector), strict=True):
            found[i] = before[list(variants[i].kept)]
            found[i][[p >= start for p in variants[i].reading.positions]] = late
    return before, [found[i] for i in range(len(variants))]


def _suffixes(
    net: PreTrainedModel, group: Sequence[_Variant], cache: DynamicCache, start: int, vector: Tensor | None
) -> list[Tensor]:
    """Of each variant the entries at or after `start`, by one pass over what comes from there on."""
    ids = _row_of_ids(net, [list(v.reading.inputs["input_ids"])[start:] for v in group])
    late = [[i for i, p in enumerate(v.reading.positions) if p >= start] for v in group]
    readings = [
        replace(
            v.reading,
            positions=tuple(v.reading.positions[i] - start for i in chosen),
            ids=tuple(v.reading.ids[i] for i in chosen),
        )
        for v, chosen in zip(group, late, strict=True)
    ]
    at = places(readings, ids.device)
    inputs: dict[str, object] = {"input_ids": ids}
    if start:
        inputs["past_key_values"] = _first_of(cache, start)
    change = _overwrite(group, vector, start)
    changed = (lambda e: change(e, range(len(group)))) if change else None
    with embeddings_replaced(net, changed), split_at_head(net, inputs) as (hidden, head):
        entries = head_entries(net, hidden[at.rows, at.positions], head, at.ids, group[0].reading.quantity)
    return list(entries.split(at.counts))


class _Prefix(DynamicCache):
    """One text's keys and values, before which many rows go on: joined to each layer's own for as long as it runs."""

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_args: object, **_named: object
    ) -> tuple[Tensor, Tensor]:
        """What the layer attends to: the prefix, and then its own."""
        layer = self.layers[layer_idx]
        pairs = ((layer.keys, key_states), (layer.values, value_states))
        keys, values = (torch.cat([before.expand(len(own), -1, -1, -1), own], 2) for before, own in pairs)
        return keys, values


def _first_of(cache: DynamicCache, length: int) -> _Prefix:
    """The first `length` keys and values."""
    part = _Prefix()
    for index, layer in enumerate(cache.layers):
        DynamicCache.update(part, layer.keys[:, :, :length], layer.values[:, :, :length], index)
    return part
