"""What methods cost, as functions of sizes: memory, and operations.

Memory is counted from the model's sizes: what each method holds at its peak above the loaded model.
"""

from dataclasses import dataclass, replace
from math import isqrt

from attnscope.models.activation_checkpointing import SAVED_BYTES, Widths, widths
from attnscope.models.architecture import task_of
from attnscope.models.attention.interface import BLOCK
from attnscope.models.gradients.attention_gradients import SAVED_BYTES as RELEVANCE_BYTES
from attnscope.models.inputs.batching import BUDGET
from attnscope.models.loading.load import Model
from attnscope.models.perturbation.prefix_reuse import BUDGET as SUFFIX_BUDGET
from attnscope.models.perturbation.prefix_reuse import CACHE_BYTES
from attnscope.models.targets.lm_head import FEWEST, LOGITS_BYTES
from attnscope.models.typed import embedding_weight

# What any pass holds besides: workspaces, blocks of weights and their temporaries.
_BASE = 150 * 2**20 + 12 * BLOCK
# One token at a time moves every weight for one product: about so many times slower than a long text.
_STEP_OVERHEAD = 16


@dataclass(frozen=True)
class Size:
    """A model, a text and a request in numbers.

    heads: of queries; item: bytes of a number. causal: whether texts with a word taken away share their beginnings.
    runs: passes over the text, or tokens to generate; targets: backward passes for each.
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
    """Bytes above the loaded model at the peak, operations in matrix products, elements that go through a softmax."""

    bytes: float
    operations: float
    elements: float


def size_of(model: Model, tokens: int, runs: int, targets: int) -> Size:
    """The sizes that costs are functions of."""
    net = model.model
    config = net.config.get_text_config()
    layers = getattr(config, "num_hidden_layers", None) or 1
    embeddings = embedding_weight(net)
    return Size(
        tokens=tokens,
        layers=layers,
        heads=getattr(config, "num_attention_heads", None) or 1,
        widths=widths(net),
        parameters=sum(p.numel() for p in net.parameters()) - embeddings.numel(),
        vocabulary=len(embeddings),
        item=embeddings.element_size(),
        causal=task_of(net) == "causal",
        runs=runs,
        targets=targets,
    )


def passing(size: Size) -> Cost:
    """One forward pass without a head, fast attention."""
    held = size.tokens * size.item * (6 * size.widths.hidden + 3 * size.widths.inner + 3 * size.widths.queries)
    attention = 2 * size.tokens**2 * size.widths.queries * size.layers
    return Cost(
        _BASE + held, 2 * size.parameters * size.tokens + attention, size.layers * size.heads * size.tokens**2 / 2
    )


def _again(size: Size, times: float) -> Cost:
    """The attention of every layer once more, a block at a time."""
    attended = size.layers * size.heads * size.tokens**2
    return Cost(0, 2 * size.tokens**2 * size.widths.queries * size.layers * times, attended * times)


def _sum(*costs: Cost) -> Cost:
    return Cost(sum(c.bytes for c in costs), sum(c.operations for c in costs), sum(c.elements for c in costs))


def maps(size: Size) -> Cost:
    """The attention of every layer, streamed, with its statistics; what is kept of it comes on top."""
    return _sum(passing(size), _again(size, 4))


def rollout(size: Size) -> Cost:
    """A chain over layers for one query, from kept queries and keys."""
    kept = size.layers * size.tokens * size.item * (size.widths.queries + size.widths.keys)
    return _sum(passing(size), _again(size, 1), Cost(kept, 0, 0))


def _backward(size: Size) -> Cost:
    """One pass there and, for each target, back."""
    way = _there_and_back(size, SAVED_BYTES)
    return replace(way, bytes=way.bytes + passing(size).bytes + _logits(size))


def _there_and_back(size: Size, budget: int) -> Cost:
    """The layers alone; those beyond the budget of bytes are run again."""
    every = _activations(size)
    kept = min(every, budget) + size.layers * size.tokens * size.widths.hidden * size.item
    forward = passing(size)
    times = 1 + 2 * size.targets + (every > budget)
    return Cost(forward.bytes + kept, forward.operations * times, forward.elements * times)


def _activations(size: Size) -> int:
    return size.widths.saved * size.layers * size.tokens * size.item


def _logits(size: Size) -> int:
    """Those that exist at one time, and their probabilities: at most, for a head that is a product makes fewer."""
    return 2 * min(size.tokens * size.vocabulary * 4, max(LOGITS_BYTES, FEWEST * size.vocabulary * 4))


def attention_gradient(size: Size) -> Cost:
    """One pass down to the embeddings, with the attention of every layer once more."""
    # The queries, keys and values of the layers that are not run again; logits of few positions.
    share = min(1, RELEVANCE_BYTES / _activations(size))
    held = size.layers * size.tokens * size.item * (size.widths.queries + 2 * size.widths.keys) * share
    return _sum(_there_and_back(size, RELEVANCE_BYTES), _again(size, 2), Cost(held, 0, 0))


def _together(size: Size, budget: int) -> Size:
    """As many runs as go side by side under a budget of tokens, as one text."""
    return replace(size, tokens=max(size.tokens, min(size.runs * size.tokens, budget)))


def gradients(size: Size, noisy: int = 0) -> Cost:
    """A backward pass for each run; `noisy`: copies of the embeddings that are held in float64 for each."""
    one = _backward(size)
    held = (4 + noisy * size.runs) * size.tokens * size.widths.hidden * 8
    return Cost(_backward(_together(size, BUDGET)).bytes + held, one.operations * size.runs, one.elements * size.runs)


def texts(size: Size) -> Cost:
    """A forward pass with a head for each run, several side by side."""
    one = passing(size)
    held = passing(_together(size, BUDGET)).bytes + _logits(size)
    return Cost(held, one.operations * size.runs, one.elements * size.runs)


def single_words(size: Size) -> Cost:
    """A forward pass for each word that is taken away; a causal model begins where the text changes."""
    if not size.causal:
        return texts(size)
    # The text's own keys and values, whole and up to a change; and for the layer that runs those of each row.
    layer = 2 * size.widths.keys * size.tokens * size.item
    rows = max(1, min(size.runs, isqrt(SUFFIX_BUDGET), CACHE_BYTES // layer))
    cache = (2 * size.layers + rows) * layer
    held = passing(_together(size, SUFFIX_BUDGET)).bytes + _logits(size)
    every = texts(size)
    return Cost(held + cache, every.operations / 2, every.elements / 2)


def value_norm(size: Size) -> Cost:
    """One layer, with a Gram matrix of its heads for each key."""
    return _sum(passing(size), Cost(size.tokens * size.heads**2 * 4, 0, size.heads * size.tokens**2 * 4))


def value_zeroing(size: Size) -> Cost:
    """Every layer once more for each token."""
    one = passing(size)
    held = size.layers * (size.tokens * size.widths.hidden * size.item + 4 * size.tokens**2)
    return Cost(8 * one.bytes + held, one.operations * size.tokens, one.elements * size.tokens)


def generate(size: Size) -> Cost:
    """One token at a time behind a cache; runs: how many."""
    cache = size.layers * 2 * size.widths.keys * (size.tokens + size.runs) * size.item
    step = (
        2 * (size.parameters + size.vocabulary * size.widths.hidden)
        + 4 * size.tokens * size.widths.queries * size.layers
    )
    return _sum(passing(size), Cost(1.5 * cache, _STEP_OVERHEAD * step * size.runs, 0))
