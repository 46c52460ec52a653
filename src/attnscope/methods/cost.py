"""What a request takes before it starts: memory, and roughly the time; and a refusal for what cannot fit.

Memory is counted from the model's sizes: what each method holds at its peak above the loaded model. Time is operations
divided by this machine's speed, tried for a tenth of a second: right within a factor of two or three.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isqrt

from attnscope.errors import InputError, TooLargeError
from attnscope.models.activation_checkpointing import KEPT_BYTES, Widths, widths
from attnscope.models.architecture import task_of
from attnscope.models.attention.interface import BLOCK
from attnscope.models.gradients.attention_relevance import KEPT_BYTES as RELEVANCE_BYTES
from attnscope.models.inputs.batching import BUDGET
from attnscope.models.loading.hardware import free_memory, speed
from attnscope.models.loading.load import Model, load
from attnscope.models.perturbation.without_tokens import BUDGET as SUFFIX_BUDGET
from attnscope.models.perturbation.without_tokens import CACHE_BYTES
from attnscope.models.targets.lm_head import FEWEST, LOGITS_BYTES

_log = logging.getLogger(__name__)

# A request below both is not worth a line.
_LONG_SECONDS = 10.0
_MUCH_BYTES = 2**30
# Below these and that much memory nothing is notable on any machine, so that its speed is not tried.
_FEW_OPERATIONS, _FEW_ELEMENTS = 5e10, 5e8
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


@dataclass(frozen=True)
class Plan:
    """What a request takes.

    bytes: at its peak, above the loaded model. free: what the machine still has, or None where it does not say.
    seconds: a rough guess. smaller: how to make the request smaller.
    """

    method: str
    tokens: int
    bytes: int
    free: int | None
    seconds: float
    smaller: str

    @property
    def fits(self) -> bool:
        """Whether there is memory for it."""
        return self.free is None or self.bytes <= self.free

    def __str__(self) -> str:
        free = "" if self.free is None else f" of {_size(self.free)} free"
        verdict = "" if self.fits else ": it does not fit"
        return (
            f"{self.method} of {self.tokens:,} tokens takes about {_size(self.bytes)} of memory{free} and "
            f"{_time(self.seconds)}{verdict}"
        )


@dataclass(frozen=True)
class Chosen:
    """Of maps, how many layers, heads, queries and keys (None: all), whether they are kept, and how many top keys."""

    layers: int | None = None
    heads: int | None = None
    queries: int | None = None
    keys: int | None = None
    maps: bool = True
    top: int = 32


def plan(
    model: Model,
    text: str | None = None,
    method: str = "maps",
    *,
    tokens: int | None = None,
    layers: int | None = None,
    heads: int | None = None,
    queries: int | None = None,
    keys: int | None = None,
    maps: bool = True,
    top: int = 32,
    runs: int | None = None,
    targets: int = 1,
) -> Plan:
    """What `method` would take on `text`, or on a text of so many `tokens`, without running it.

    method: one of PLANS: "maps", "generate", or any of METHODS.
    layers, heads, queries, keys: of maps, how many; maps, top: as in `attention_maps`.
    runs:    how many passes a method makes that makes many (steps, samples, words), or tokens it generates; by default
             what the method's own defaults come to. targets: values that are explained one by one (per_token).

    Raises InputError for a method without a plan, or neither text nor tokens.
    """
    model = load(model)
    if (text is None) == (tokens is None):
        raise InputError("give either a text or a number of tokens")
    if method not in PLANS:
        raise InputError(f"there is no plan for {method!r}; choose from {', '.join(PLANS)}")
    count = tokens if tokens is not None else len(model.tokenizer(text, verbose=False)["input_ids"])
    chosen = Chosen(layers, heads, queries, keys, maps, top)
    return _planned(model, method, count, _cost(model, method, count, runs, targets, chosen))


def foresee(
    model: Model, method: str, tokens: int, runs: int = 1, targets: int = 1, chosen: Chosen | None = None
) -> None:
    """Say what a long request takes before it starts. Raises TooLargeError for one that cannot fit."""
    cost = _cost(model, method, tokens, runs, targets, chosen or Chosen())
    free = free_memory(model.model.get_input_embeddings().weight.device)
    small = cost.bytes < _MUCH_BYTES and (free is None or cost.bytes <= free)
    if small and cost.operations < _FEW_OPERATIONS and cost.elements < _FEW_ELEMENTS:
        return
    planned = _planned(model, method, tokens, cost)
    if not planned.fits:
        raise TooLargeError(f"{planned}; {planned.smaller}")
    if planned.seconds >= _LONG_SECONDS or planned.bytes >= _MUCH_BYTES:
        _log.info("%s", planned)


def _planned(model: Model, method: str, tokens: int, cost: Cost) -> Plan:
    device = model.model.get_input_embeddings().weight.device
    operations, elements = speed(device)
    seconds = cost.operations / operations + cost.elements / elements
    return Plan(method, tokens, int(cost.bytes), free_memory(device), seconds, PLANS[method].smaller)


def _cost(model: Model, method: str, tokens: int, runs: int | None, targets: int, chosen: Chosen) -> Cost:
    row = PLANS[method]
    size = _size_of(model, tokens, row.runs(tokens) if runs is None else runs, targets)
    cost = row.cost(size)
    if method != "maps":
        return cost
    rows, keys = (min(n or tokens, tokens) for n in (chosen.queries, chosen.keys))
    kept = (chosen.layers or size.layers) * (chosen.heads or size.heads) * rows
    kept *= keys * chosen.maps + 12 + chosen.top * 4
    return Cost(cost.bytes + kept, cost.operations, cost.elements * rows / max(tokens, 1))


def _size_of(model: Model, tokens: int, runs: int, targets: int) -> Size:
    net = model.model
    config = net.config.get_text_config()
    layers = getattr(config, "num_hidden_layers", None) or 1
    embeddings = net.get_input_embeddings().weight
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


def _passing(size: Size) -> Cost:
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


def _maps(size: Size) -> Cost:
    return _sum(_passing(size), _again(size, 4))


def _rollout(size: Size) -> Cost:
    kept = size.layers * size.tokens * size.item * (size.widths.queries + size.widths.keys)
    return _sum(_passing(size), _again(size, 1), Cost(kept, 0, 0))


def _backward(size: Size) -> Cost:
    """One pass there and, for each target, back."""
    way = _there_and_back(size, KEPT_BYTES)
    return replace(way, bytes=way.bytes + _passing(size).bytes + _logits(size))


def _there_and_back(size: Size, budget: int) -> Cost:
    """The layers alone; those beyond the budget of bytes are run again."""
    every = _activations(size)
    kept = min(every, budget) + size.layers * size.tokens * size.widths.hidden * size.item
    forward = _passing(size)
    times = 1 + 2 * size.targets + (every > budget)
    return Cost(forward.bytes + kept, forward.operations * times, forward.elements * times)


def _activations(size: Size) -> int:
    return size.widths.kept * size.layers * size.tokens * size.item


def _logits(size: Size) -> int:
    """Those that exist at one time, and their probabilities: at most, for a head that is a product makes fewer."""
    return 2 * min(size.tokens * size.vocabulary * 4, max(LOGITS_BYTES, FEWEST * size.vocabulary * 4))


def _attention_gradient(size: Size) -> Cost:
    # The queries, keys and values of the layers that are not run again; logits of few positions.
    share = min(1, RELEVANCE_BYTES / _activations(size))
    held = size.layers * size.tokens * size.item * (size.widths.queries + 2 * size.widths.keys) * share
    return _sum(_there_and_back(size, RELEVANCE_BYTES), _again(size, 2), Cost(held, 0, 0))


def _together(size: Size, budget: int) -> Size:
    """As many runs as go side by side under a budget of tokens, as one text."""
    return replace(size, tokens=max(size.tokens, min(size.runs * size.tokens, budget)))


def _gradients(size: Size, noisy: int = 0) -> Cost:
    """A backward pass for each run; `noisy`: copies of the embeddings that are held in float64 for each."""
    one = _backward(size)
    held = (4 + noisy * size.runs) * size.tokens * size.widths.hidden * 8
    return Cost(_backward(_together(size, BUDGET)).bytes + held, one.operations * size.runs, one.elements * size.runs)


def _texts(size: Size) -> Cost:
    """A forward pass with a head for each run, several side by side."""
    one = _passing(size)
    held = _passing(_together(size, BUDGET)).bytes + _logits(size)
    return Cost(held, one.operations * size.runs, one.elements * size.runs)


def _single_words(size: Size) -> Cost:
    """A forward pass for each word that is taken away; a causal model begins where the text changes."""
    if not size.causal:
        return _texts(size)
    # The text's own keys and values, whole and up to a change; and for the layer that runs those of each row.
    layer = 2 * size.widths.keys * size.tokens * size.item
    rows = max(1, min(size.runs, isqrt(SUFFIX_BUDGET), CACHE_BYTES // layer))
    cache = (2 * size.layers + rows) * layer
    held = _passing(_together(size, SUFFIX_BUDGET)).bytes + _logits(size)
    every = _texts(size)
    return Cost(held + cache, every.operations / 2, every.elements / 2)


def _value_norm(size: Size) -> Cost:
    return _sum(_passing(size), Cost(size.tokens * size.heads**2 * 4, 0, size.heads * size.tokens**2 * 4))


def _value_zeroing(size: Size) -> Cost:
    one = _passing(size)
    held = size.layers * (size.tokens * size.widths.hidden * size.item + 4 * size.tokens**2)
    return Cost(8 * one.bytes + held, one.operations * size.tokens, one.elements * size.tokens)


def _generate(size: Size) -> Cost:
    cache = size.layers * 2 * size.widths.keys * (size.tokens + size.runs) * size.item
    step = (
        2 * (size.parameters + size.vocabulary * size.widths.hidden)
        + 4 * size.tokens * size.widths.queries * size.layers
    )
    return _sum(_passing(size), Cost(1.5 * cache, _STEP_OVERHEAD * step * size.runs, 0))


def _words(tokens: int) -> int:
    """Words in so many tokens, about."""
    return max(1, tokens * 3 // 4)


@dataclass(frozen=True)
class Row:
    """One row of PLANS: what a method costs, how to make it smaller, and its runs by default for so many tokens."""

    cost: Callable[[Size], Cost]
    smaller: str
    runs: Callable[[int], int] = lambda _tokens: 1


_SHORTER = "give a shorter text"
_FEWER_UNITS = f"score larger units (unit='sentence' or segments), use method='gradient', or {_SHORTER}"
PLANS: dict[str, Row] = {
    "maps": Row(_maps, f"choose layers=, heads=, queries= or keys=, keep statistics alone (maps=False), or {_SHORTER}"),
    "generate": Row(_generate, f"generate fewer tokens, or {_SHORTER}", lambda _tokens: 20),
    "attention": Row(_passing, _SHORTER),
    "rollout": Row(_rollout, f"ask for a lower layer, or {_SHORTER}"),
    "attention_flow": Row(_passing, _SHORTER),
    "attention_gradient": Row(_attention_gradient, _SHORTER),
    "value_norm": Row(_value_norm, _SHORTER),
    "value_zeroing": Row(_value_zeroing, f"ask for one layer, use method='value_norm', or {_SHORTER}"),
    "gradient": Row(_gradients, _SHORTER),
    "gradient_x_input": Row(_gradients, _SHORTER),
    "integrated_gradients": Row(_gradients, f"take fewer steps, or {_SHORTER}", lambda _tokens: 20),
    "smooth_grad": Row(lambda size: _gradients(size, 1), f"take fewer samples, or {_SHORTER}", lambda _tokens: 16),
    "gradient_shap": Row(lambda size: _gradients(size, 2), f"take fewer samples, or {_SHORTER}", lambda _tokens: 32),
    "gim": Row(_gradients, _SHORTER),
    "deletion": Row(_single_words, _FEWER_UNITS, _words),
    "occlusion": Row(_single_words, _FEWER_UNITS, _words),
    "shapley": Row(_texts, f"take fewer pairs, {_FEWER_UNITS}", lambda tokens: 16 * _words(tokens)),
    "lime": Row(_texts, f"take fewer samples, or {_SHORTER}", lambda _tokens: 256),
    "random": Row(_texts, _SHORTER),
}


def _size(amount: float) -> str:
    return f"{amount / 2**30:,.1f} GB" if amount >= 2**29 else f"{amount / 2**20:,.0f} MB"


def _time(seconds: float) -> str:
    if seconds < 1:
        return "less than a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:,.0f} minutes" if seconds < 5400 else f"{seconds / 3600:,.1f} hours"
