"""Variants of one text that begin where they differ from it: in a causal model what comes before is computed once.

Whether a model's cache allows that is tried on the first text that can tell.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import cache_argument
from attnscope.models.hooks import embeddings_replaced
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.model_facts import facts_of
from attnscope.models.perturbation.variants import Variant, in_order, overwriting
from attnscope.models.progress import bar
from attnscope.models.targets.head_split import Head, HeadNotSeparableError, has_separate_head, split_at_head
from attnscope.models.targets.lm_head import head_entries
from attnscope.models.targets.readout import Readout, entries_in
from attnscope.models.typed import device_of, layer_caches

# Tokens of one batch after a shared prefix: a larger batch takes memory and no less time.
BUDGET = 1024
# What a layer's keys and values, prefix included, may take for the rows of a batch, in bytes: late words of a long text
# have short rests and long prefixes.
CACHE_BYTES = 64 * 2**20
# Of a batch, the padding and the repeated tokens that are allowed beside those it needs: tokens, and a share.
SPARE, SPARE_SHARE = 32, 0.25
# What the two ways of computing may differ by, relative to the largest entry.
TOLERANCE = 1e-3


class CacheNotUsableError(Exception):
    """The model does not fill or read a plain cache of keys and values."""


@dataclass(frozen=True)
class WholePass:
    """One pass over the unchanged text: the readout's entries (entry,), and the keys and values."""

    entries: Tensor
    cache: DynamicCache


def reuses_prefix(net: PreTrainedModel, base: Readout) -> bool:
    """Whether a pass that goes on from cached keys and values gives what the whole pass gives; learnt once a model."""
    facts = facts_of(net)
    if not has_separate_head(net):
        return False
    if facts.reuses_prefix is None:
        length = len(base.inputs["input_ids"])
        if length < 4 or "token_type_ids" in base.inputs or max(base.positions) < length // 2:
            return False  # this text cannot tell
        facts.reuses_prefix = _agrees(net, base, length // 2)
    return facts.reuses_prefix


def _agrees(net: PreTrainedModel, base: Readout, start: int) -> bool:
    late = [i for i, position in enumerate(base.positions) if position >= start]
    try:
        with unchanged(net), torch.no_grad():
            whole = whole_pass(net, base)
            (again,) = _suffixes(net, [Variant(base, tuple(range(len(base.ids))), start)], whole.cache, start, None)
    except (CacheNotUsableError, HeadNotSeparableError):
        return False
    error = (whole.entries[late] - again).abs().max()
    return bool(error <= TOLERANCE * whole.entries.abs().max().clamp(min=1.0))


def entries_after_prefix(
    net: PreTrainedModel, base: Readout, whole: WholePass, variants: Sequence[Variant], vector: Tensor | None
) -> list[Tensor]:
    """The entries (entry,) of each variant, whose overwritten tokens become `vector`. whole: of the unchanged text."""
    last = len(base.inputs["input_ids"]) - 1
    entries: dict[int, Tensor] = {}
    # The token before the change is read again: an entry may stand on it.
    starts = [min(max(variant.first - 1, 0), last) for variant in variants]
    lengths = [len(variant.readout.inputs["input_ids"]) for variant in variants]
    order = sorted(range(len(variants)), key=lambda i: (-starts[i], lengths[i]))
    most = max(1, CACHE_BYTES // max(layer.keys.nbytes + layer.values.nbytes for layer in layer_caches(whole.cache)))
    with bar("passes", len(variants)) as done:
        while order:
            size = _batch_size([(starts[i], lengths[i]) for i in order[:most]])
            members, order = order[:size], order[size:]
            start = starts[members[-1]]
            group = [variants[i] for i in members]
            for i, late in zip(members, _suffixes(net, group, whole.cache, start, vector), strict=True):
                entries[i] = whole.entries[list(variants[i].entries)]
                entries[i][[p >= start for p in variants[i].readout.positions]] = late
            done(len(members))
    return [entries[i] for i in range(len(variants))]


def _batch_size(texts: Sequence[tuple[int, int]]) -> int:
    """How many of the texts, each (where it starts, where it ends), the latest start first, go into one batch: as many
    as the budget takes, while little of it is padding or stands before a text's own start."""
    needed = longest = 0
    for size, (start, end) in enumerate(texts):
        needed, longest = needed + end - start, max(longest, end)
        padded = (size + 1) * (longest - start)
        if size and (padded > BUDGET or padded - needed > SPARE + SPARE_SHARE * needed):
            return size
    return len(texts)


def whole_pass(net: PreTrainedModel, base: Readout) -> WholePass:
    """Of the unchanged text. Raises CacheNotUsableError where the model fills no plain cache."""
    cache = DynamicCache()
    ids = _ids(net, [base.inputs["input_ids"]])
    entries = _cached_entries(net, [base], ids, cache)
    if cache.get_seq_length() != ids.shape[1]:
        raise CacheNotUsableError
    return WholePass(entries, cache)


def _suffixes(
    net: PreTrainedModel, group: Sequence[Variant], cache: DynamicCache, start: int, vector: Tensor | None
) -> list[Tensor]:
    """Of each variant the entries at or after `start`, by one pass over the tokens from there on."""
    ids = _ids(net, [variant.readout.inputs["input_ids"][start:] for variant in group])
    readouts = [_from(variant.readout, start) for variant in group]
    with embeddings_replaced(net, in_order(overwriting(group, vector, start), len(group))):
        entries = _cached_entries(net, readouts, ids, first_of(cache, start) if start else None)
    return entries_in(readouts, ids.device).by_readout(entries)


def _from(readout: Readout, start: int) -> Readout:
    """The entries at or after `start`, counted from there."""
    late = [i for i, position in enumerate(readout.positions) if position >= start]
    return replace(
        readout,
        positions=tuple(readout.positions[i] - start for i in late),
        ids=tuple(readout.ids[i] for i in late),
    )


def _ids(net: PreTrainedModel, rows: Sequence[Sequence[int]]) -> Tensor:
    """(batch, token), padded on the right, where a causal model's entries do not look."""
    longest = max(len(row) for row in rows)
    device = device_of(net)
    return torch.tensor([[*row, *[row[-1]] * (longest - len(row))] for row in rows], device=device)


def _cached_entries(
    net: PreTrainedModel, readouts: Sequence[Readout], ids: Tensor, cache: DynamicCache | None
) -> Tensor:
    """The entries of all readouts by one pass with the cache. Raises CacheNotUsableError, HeadNotSeparableError."""
    inputs = {"input_ids": ids} if cache is None else {"input_ids": ids, cache_argument(net): cache}
    entries = entries_in(readouts, ids.device)
    with ExitStack() as stack:
        try:
            hidden, head = stack.enter_context(split_at_head(net, inputs))
        # From the model's own forward: hybrids look in the cache for the states of their other layers, and older code
        # for tuples. What comes after it is ours and raises what it raises.
        except HeadNotSeparableError:
            raise
        except ModelError as error:
            raise CacheNotUsableError from error
        chosen = hidden[entries.rows, entries.positions]
        return head_entries(net, chosen, head, entries.ids, readouts[0].quantity)


@contextmanager
def cached_hidden(net: PreTrainedModel, ids: Sequence[int], cache: DynamicCache) -> Iterator[tuple[Tensor, Head]]:
    """What `split_at_head` yields for one text, (1, token), that goes on from the cache's keys and values."""
    with split_at_head(net, {"input_ids": _ids(net, [ids]), cache_argument(net): cache}) as parts:
        yield parts


class _Prefix(DynamicCache):
    """One text's keys and values, continued by many rows: each layer's own are joined to them while it runs."""

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_args: object, **_named: object
    ) -> tuple[Tensor, Tensor]:
        """What the layer attends to: the prefix, and then its own."""
        layer = layer_caches(self)[layer_idx]
        pairs = ((layer.keys, key_states), (layer.values, value_states))
        keys, values = (torch.cat([prefix.expand(len(rest), -1, -1, -1), rest], 2) for prefix, rest in pairs)
        return keys, values


def first_of(cache: DynamicCache, length: int) -> _Prefix:
    """The first `length` keys and values."""
    prefix = _Prefix()
    for index, layer in enumerate(layer_caches(cache)):
        DynamicCache.update(prefix, layer.keys[:, :, :length], layer.values[:, :, :length], index)
    return prefix
