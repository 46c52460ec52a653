"""What a request takes before it starts: memory, and roughly the time; and a refusal for what cannot fit.

Memory is counted from the model's sizes: what each method holds at its peak above the loaded model. Time is operations
divided by this machine's speed, tried for a tenth of a second: right within a factor of two or three.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from attnscope.errors import InputError, TooLargeError
from attnscope.models.attention import BLOCK
from attnscope.models.gradients import KEPT_BYTES, KEPT_TENSORS
from attnscope.models.load import Model, load
from attnscope.models.machine import free_memory, speed

_log = logging.getLogger(__name__)

# A request shorter than this is not worth a line.
_LONG_SECONDS = 10.0
# Tokens below which nothing but a mistake could take long, so that nothing is tried.
_SHORT = 512
# What any pass holds besides: workspaces, blocks of weights and their temporaries.
_BASE = 150 * 2**20 + 12 * BLOCK


@dataclass(frozen=True)
class Size:
    """A model and a text in numbers. heads, width: of queries; shared: of keys, all heads together; item: bytes."""

    tokens: int
    layers: int
    heads: int
    width: int
    shared: int
    hidden: int
    inner: int
    parameters: int
    item: int


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
) -> Plan:
    """What `method` would take on `text`, or on a text of so many `tokens`, without running it.

    method: one of COSTS: "maps", or the name of an attention or gradient method.
    layers, heads, queries, keys: of maps, how many; maps, top: as in `attention_maps`.

    Raises InputError for a method without a plan, or neither text nor tokens.
    """
    model = load(model)
    if (text is None) == (tokens is None):
        raise InputError("give either a text or a number of tokens")
    if method not in COSTS:
        raise InputError(f"there is no plan for {method!r}; choose from {', '.join(COSTS)}")
    count = tokens if tokens is not None else len(model.tokenizer(text, verbose=False)["input_ids"])
    size = _size_of(model, count)
    cost, smaller = COSTS[method]
    found = cost(size)
    if method == "maps":
        chosen = (layers or size.layers) * (heads or size.heads)
        rows = chosen * min(queries or count, count)
        extra = rows * (min(keys or count, count) * maps + 12 + top * 4)
        share = min(queries or count, count) / max(count, 1)
        found = Cost(found.bytes + extra, found.operations, found.elements * share)
    device = model.model.get_input_embeddings().weight.device
    operations, elements = speed(device)
    seconds = found.operations / operations + found.elements / elements
    return Plan(method, count, int(found.bytes), free_memory(device), seconds, smaller)


def foresee(model: Model, method: str, tokens: int, **chosen: int | bool) -> None:
    """Say what a long request takes before it starts. Raises TooLargeError for one that cannot fit."""
    if tokens < _SHORT or method not in COSTS:
        return
    planned = plan(model, None, method, tokens=tokens, **chosen)  # type: ignore[arg-type]
    if not planned.fits:
        raise TooLargeError(f"{planned}; {planned.smaller}")
    if planned.seconds >= _LONG_SECONDS:
        _log.info("%s", planned)


def _size_of(model: Model, tokens: int) -> Size:
    net = model.model
    config = net.config.get_text_config()
    layers = getattr(config, "num_hidden_layers", None) or 1
    heads = getattr(config, "num_attention_heads", None) or 1
    hidden = getattr(config, "hidden_size", None) or net.get_input_embeddings().weight.shape[-1]
    width = (getattr(config, "head_dim", None) or hidden // heads) * heads
    shared = width * (getattr(config, "num_key_value_heads", None) or heads) // heads
    inner = getattr(config, "intermediate_size", None) or 4 * hidden
    embeddings = net.get_input_embeddings().weight
    parameters = sum(p.numel() for p in net.parameters()) - embeddings.numel()
    return Size(tokens, layers, heads, width, shared, hidden, inner, parameters, embeddings.element_size())


def _passing(size: Size) -> Cost:
    """One forward pass without a head, fast attention."""
    held = size.tokens * size.item * (6 * size.hidden + 3 * size.inner + 3 * size.width)
    attention = 2 * size.tokens**2 * size.width * size.layers
    return Cost(
        _BASE + held, 2 * size.parameters * size.tokens + attention, size.layers * size.heads * size.tokens**2 / 2
    )


def _again(size: Size, times: float) -> Cost:
    """The attention of every layer once more, a block at a time."""
    attended = size.layers * size.heads * size.tokens**2
    return Cost(0, 2 * size.tokens**2 * size.width * size.layers * times, attended * times)


def _sum(*costs: Cost) -> Cost:
    return Cost(sum(c.bytes for c in costs), sum(c.operations for c in costs), sum(c.elements for c in costs))


def _maps(size: Size) -> Cost:
    return _sum(_passing(size), _again(size, 4))


def _rollout(size: Size) -> Cost:
    kept = size.layers * size.tokens * size.item * (size.width + size.shared)
    return _sum(_passing(size), _again(size, 1), Cost(kept, 0, 0))


def _backward(size: Size) -> Cost:
    every = KEPT_TENSORS * size.layers * size.tokens * size.hidden * size.item
    kept = min(every, KEPT_BYTES) + size.layers * size.tokens * size.hidden * size.item
    forward = _passing(size)
    again = 1 + (every > KEPT_BYTES)
    return Cost(forward.bytes * 2 + kept, forward.operations * (1 + again), 0)


def _attention_gradient(size: Size) -> Cost:
    kept = size.layers * size.tokens * size.item * (size.width + 2 * size.shared)
    return _sum(_backward(size), _again(size, 2), Cost(kept, 0, 0))


def _value_norm(size: Size) -> Cost:
    return _sum(_passing(size), Cost(size.tokens * size.heads**2 * 4, 0, size.heads * size.tokens**2 * 4))


def _value_zeroing(size: Size) -> Cost:
    one = _passing(size)
    held = size.layers * (size.tokens * size.hidden * size.item + 4 * size.tokens**2)
    return Cost(8 * one.bytes + held, one.operations * size.tokens, one.elements * size.tokens)


_FEWER = "choose layers=, heads=, queries= or keys=, keep statistics alone (maps=False), or give a shorter text"
_SHORTER = "give a shorter text, or cut it with truncate"
# method -> what it costs, and how to make it smaller
COSTS: dict[str, tuple[Callable[[Size], Cost], str]] = {
    "maps": (_maps, _FEWER),
    "attention": (_passing, _SHORTER),
    "rollout": (_rollout, f"ask for a lower layer, or {_SHORTER}"),
    "attention_gradient": (_attention_gradient, _SHORTER),
    "value_norm": (_value_norm, _SHORTER),
    "value_zeroing": (_value_zeroing, f"ask for one layer, use method='value_norm', or {_SHORTER}"),
    "gradient": (_backward, _SHORTER),
}


def _size(amount: float) -> str:
    return f"{amount / 2**30:,.1f} GB" if amount >= 2**29 else f"{amount / 2**20:,.0f} MB"


def _time(seconds: float) -> str:
    if seconds < 1:
        return "less than a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:,.0f} minutes" if seconds < 5400 else f"{seconds / 3600:,.1f} hours"
