"""What methods cost in memory and operations, as functions of sizes.

Memory is worked out from the model's sizes: what a method holds at its peak, above the loaded model.
"""

from dataclasses import dataclass, replace
from math import isqrt

import torch

from attnscope.errors import ModelError
from attnscope.models.activation_checkpointing import SAVED_BYTES, Widths, widths
from attnscope.models.architecture import configured, task_of
from attnscope.models.attention.interface import BLOCK
from attnscope.models.gradients.attention_gradients import SAVED_BYTES as RELEVANCE_BYTES
from attnscope.models.inputs.batching import BUDGET
from attnscope.models.loading.load import Model
from attnscope.models.perturbation.prefix_reuse import BUDGET as SUFFIX_BUDGET
from attnscope.models.perturbation.prefix_reuse import CACHE_BYTES
from attnscope.models.targets.lm_head import FEWEST, LOGITS_BYTES
from attnscope.models.typed import embedding_weight

# What any pass holds on top: workspaces, blocks of weights and their temporaries.
_BASE = 150 * 2**20 + 12 * BLOCK
# Generating token by token moves every weight for one product: about this many times slower per token than a long text.
_STEP_OVERHEAD = 16


@dataclass(frozen=True)
class Size:
    """A model, a text and a request in numbers.

    heads: query heads; item: bytes per number. causal: whether texts with one word removed share a prefix.
    runs: passes over the text, or tokens to generate; targets: backward passes per run.
    """

    tokens: int
    layers: int
    heads: int
    widths: Widths
    parameters: int
    vocabulary: int
    item: int
    causal: bool
    runs: int
    targets: int


@dataclass(frozen=True)
class Cost:
    """Peak bytes above the loaded model, operations in matrix products, elements that go through a softmax."""

    bytes: float
    operations: float
    elements: float


def size_of(model: Model, tokens: int, runs: int, targets: int) -> Size:
    """The sizes of a model and a request."""
    net = model.model
    try:
        embeddings = embedding_weight(net)
    except ModelError:  # VITS names none; its attention can be read
        embeddings = torch.empty(0, 0, dtype=net.dtype)
    return Size(
        tokens=tokens,
        layers=configured(net, "num_hidden_layers") or 1,
        heads=configured(net, "num_attention_heads") or 1,
        widths=widths(net),
        parameters=sum(p.numel() for p in net.parameters()) - embeddings.numel(),
        vocabulary=len(embeddings),
        item=embeddings.element_size(),
        causal=task_of(net) == "causal",
        runs=runs,
        targets=targets,
    )


def passing(size: Size) -> Cost:
    """One forward pass without the head, with SDPA."""
    held = size.tokens * size.item * (6 * size.widths.hidden + 3 * size.widths.inner + 3 * size.widths.queries)
    attention = 2 * size.tokens**2 * size.widths.queries * size.layers
    return Cost(
        _BASE + held, 2 * size.parameters * size.tokens + attention, size.layers * size.heads * size.tokens**2 / 2
    )


def _again(size: Size, times: float) -> Cost:
    """Recomputing the attention of every layer, a block at a time."""
    attended = size.layers * size.heads * size.tokens**2
    return Cost(0, 2 * size.tokens**2 * size.widths.queries * size.layers * times, attended * times)


def _sum(*costs: Cost) -> Cost:
    return Cost(sum(c.bytes for c in costs), sum(c.operations for c in costs), sum(c.elements for c in costs))


def maps(size: Size) -> Cost:
    """The attention of every layer, streamed, with its statistics. The maps that are kept come on top."""
    return _sum(passing(size), _again(size, 4))


def rollout(size: Size) -> Cost:
    """A chain over layers for one query, from kept queries and keys."""
    queries_and_keys = size.layers * size.tokens * size.item * (size.widths.queries + size.widths.keys)
    return _sum(passing(size), _again(size, 1), Cost(queries_and_keys, 0, 0))


def _backward(size: Size) -> Cost:
    """One forward pass and one backward pass per target, with the head."""
    layers = _layers_backward(size, SAVED_BYTES)
    return replace(layers, bytes=layers.bytes + passing(size).bytes + _logits(size))


def _layers_backward(size: Size, budget: int) -> Cost:
    """The same for the layers alone; those beyond the budget of bytes are recomputed (activation checkpointing)."""
    activations = _activations(size)
    saved = min(activations, budget) + size.layers * size.tokens * size.widths.hidden * size.item
    forward = passing(size)
    times = 1 + 2 * size.targets + (activations > budget)
    return Cost(forward.bytes + saved, forward.operations * times, forward.elements * times)


def _activations(size: Size) -> int:
    return size.widths.saved * size.layers * size.tokens * size.item


def _logits(size: Size) -> int:
    """The logits that exist at a time, and their probabilities: an upper bound, as a plain linear head makes fewer."""
    return 2 * min(size.tokens * size.vocabulary * 4, max(LOGITS_BYTES, FEWEST * size.vocabulary * 4))


def attention_gradient(size: Size) -> Cost:
    """A forward and a backward pass down to the embeddings, and the attention of every layer recomputed."""
    # The queries, keys and values of the layers that are not recomputed; the logits are of few positions.
    share = min(1, RELEVANCE_BYTES / _activations(size))
    held = size.layers * size.tokens * size.item * (size.widths.queries + 2 * size.widths.keys) * share
    return _sum(_layers_backward(size, RELEVANCE_BYTES), _again(size, 2), Cost(held, 0, 0))


def mask_gradient(size: Size) -> Cost:
    """A forward and a backward pass, and the attention of every layer recomputed, per run; a mask beyond the first."""
    held = size.layers * size.tokens * size.item * (size.widths.queries + 2 * size.widths.keys)
    mask = 3 * size.tokens**2 * size.item if size.runs > size.targets else 0
    run = _sum(_layers_backward(size, SAVED_BYTES), _again(size, 2), Cost(held + mask + _logits(size), 0, 0))
    return Cost(run.bytes, run.operations * size.runs, run.elements * size.runs)


def _together(size: Size, budget: int) -> Size:
    """As many runs as fit into one batch under a budget of tokens, as if they were one text."""
    return replace(size, tokens=max(size.tokens, min(size.runs * size.tokens, budget)))


def gradients(size: Size, noisy: int = 0) -> Cost:
    """A backward pass per run; `noisy`: copies of the embeddings held in float64 per run."""
    run = _backward(size)
    held = (4 + noisy * size.runs) * size.tokens * size.widths.hidden * 8
    return Cost(_backward(_together(size, BUDGET)).bytes + held, run.operations * size.runs, run.elements * size.runs)


def texts(size: Size) -> Cost:
    """A forward pass with the head per run, in batches."""
    run = passing(size)
    held = passing(_together(size, BUDGET)).bytes + _logits(size)
    return Cost(held, run.operations * size.runs, run.elements * size.runs)


def single_words(size: Size) -> Cost:
    """A forward pass per removed word; a causal model starts where the text changes."""
    if not size.causal:
        return texts(size)
    # The keys and values of the text, whole and up to the change; and those of each row for the layer that is running.
    layer = 2 * size.widths.keys * size.tokens * size.item
    rows = max(1, min(size.runs, isqrt(SUFFIX_BUDGET), CACHE_BYTES // layer))
    cache = (2 * size.layers + rows) * layer
    held = passing(_together(size, SUFFIX_BUDGET)).bytes + _logits(size)
    whole_texts = texts(size)
    return Cost(held + cache, whole_texts.operations / 2, whole_texts.elements / 2)


def value_norm(size: Size) -> Cost:
    """One layer, with a Gram matrix of its heads per key."""
    return _sum(passing(size), Cost(size.tokens * size.heads**2 * 4, 0, size.heads * size.tokens**2 * 4))


def value_zeroing(size: Size) -> Cost:
    """Every layer rerun once per token."""
    run = passing(size)
    held = size.layers * (size.tokens * size.widths.hidden * size.item + 4 * size.tokens**2)
    return Cost(8 * run.bytes + held, run.operations * size.tokens, run.elements * size.tokens)


def generate(size: Size) -> Cost:
    """Generation with a key-value cache, one token at a time; `runs` is the number of tokens."""
    cache = size.layers * 2 * size.widths.keys * (size.tokens + size.runs) * size.item
    step = (
        2 * (size.parameters + size.vocabulary * size.widths.hidden)
        + 4 * size.tokens * size.widths.queries * size.layers
    )
    return _sum(passing(size), Cost(1.5 * cache, _STEP_OVERHEAD * step * size.runs, 0))
