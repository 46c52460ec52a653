"""How much memory and roughly how much time a request takes, before it starts. What cannot fit is refused.

Time is operations divided by this machine's speed, measured for a tenth of a second: right within a factor of two or
three.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from attnscope.errors import InputError, TooLargeError
from attnscope.methods import cost as costs
from attnscope.methods.cost import Cost, Size, size_of
from attnscope.methods.table import METHODS, SHORTER, Method
from attnscope.models.attention.query_key_batch import QueryKeyTexts
from attnscope.models.inputs.encode import encode
from attnscope.models.loading.hardware import free_memory, speed
from attnscope.models.loading.load import Model, load
from attnscope.models.typed import device_of
from attnscope.text.inputs import Messages, Reading, Tools

_log = logging.getLogger(__name__)

# A request below both is not worth a log line.
_LONG_SECONDS = 10.0
_MUCH_BYTES = 2**30
# Below these, and below _MUCH_BYTES, a request is small on any machine, so the speed is not measured.
_FEW_OPERATIONS, _FEW_ELEMENTS = 5e10, 5e8


@dataclass(frozen=True)
class Plan:
    """What a request takes.

    bytes: peak memory above the loaded model, from above: trials took between all and a sixth of it.
    free:  memory the machine has left; None where it does not say.
    seconds: a rough guess. smaller: how to make the request smaller.

    >>> needed = ats.plan(model, tokens=8000, method="maps")
    >>> round(needed.bytes / 2**30, 1)  # GiB
    16.8
    """

    method: str
    tokens: int
    bytes: int
    free: int | None
    seconds: float
    smaller: str

    @property
    def fits(self) -> bool:
        """Whether there is enough memory."""
        return self.free is None or self.bytes <= self.free

    def __str__(self) -> str:
        free = "" if self.free is None else f" of {_size(self.free)} free"
        verdict = "" if self.fits else ": it does not fit"
        return (
            f"{self.method} of {self.tokens:,} tokens takes up to {_size(self.bytes)} of memory{free} and "
            f"{_time(self.seconds)}{verdict}"
        )


@dataclass(frozen=True)
class Chosen:
    """How many layers, heads, queries and keys of maps (None: all), whether maps are kept, and how many top keys."""

    layers: int | None = None
    heads: int | None = None
    queries: int | None = None
    keys: int | None = None
    maps: bool = True
    top: int = 32


@dataclass(frozen=True)
class Work:
    """Something whose cost can be planned: a method, the maps of a whole model, or a generation.

    runs: the number of passes, given its options and the number of units.
    """

    name: str
    cost: Callable[[Size], Cost]
    smaller: str
    runs: Callable[[Mapping[str, Any], int], int]
    options: Mapping[str, Any]

    @classmethod
    def of(cls, method: Method) -> "Work":
        """The work of one method, with its default options."""
        return cls(method.name, method.cost, method.smaller, method.runs, method.options)


MAPS = Work(
    "maps",
    costs.maps,
    f"choose layers=, heads=, queries= or keys=, keep statistics alone (maps=False), or {SHORTER}",
    lambda _options, _units: 1,
    {},
)
GENERATION = Work("generate", costs.generate, f"generate fewer tokens, or {SHORTER}", lambda _options, _units: 20, {})
# Everything that can be planned, by name.
PLANNED: dict[str, Work] = {
    work.name: work for work in (MAPS, GENERATION, *(Work.of(method) for method in METHODS.values()))
}


def plan(
    model: Model,
    text: str | Messages | None = None,
    method: str = MAPS.name,
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
    chat: bool = False,
    tools: Tools | None = None,
    chat_template_kwargs: Mapping[str, Any] | None = None,
) -> Plan:
    """What `method` would take on a text or a chat, or on a text of this many `tokens`, without running it.

    method:  "maps", "generate", or any of METHODS.
    layers, heads, queries, keys: how many of them, for maps; maps, top: as in `attention_maps`.
    runs:    the number of passes of a method that makes many (steps, samples, words), or of tokens to generate; by
             default what the method's default options come to.
    targets: how many values are explained one by one (per_token).
    chat, tools, chat_template_kwargs: how the text or chat is read, as in `explain`.

    Raises InputError for a method without a plan, or neither text nor tokens.

    >>> needed = ats.plan(model, tokens=4096, method="gradient")
    >>> needed.tokens, needed.smaller
    (4096, 'give a shorter text')
    """
    model = load(model)
    if (text is None) == (tokens is None):
        raise InputError("give either a text or a number of tokens")
    if method not in PLANNED:
        raise InputError(f"there is no plan for {method!r}; choose from {', '.join(PLANNED)}")
    work = PLANNED[method]
    count = (
        tokens
        if tokens is not None
        else _length(model, text, Reading(chat, tools=tools, chat_template_kwargs=chat_template_kwargs))
    )
    passes = work.runs(work.options, _words(count)) if runs is None else runs
    chosen = Chosen(layers, heads, queries, keys, maps, top)
    return _planned(model, work, count, _cost(model, work, count, passes, targets, chosen))


def _length(model: Model, text: str | Messages | None, reading: Reading) -> int:
    """How many tokens the model reads, however many that are."""
    return len(encode(model.tokenizer, reading.one(text)).tokens)


def foresee(
    model: Model, work: Work, tokens: int, runs: int = 1, targets: int = 1, chosen: Chosen | None = None
) -> None:
    """Log what a long request takes before it starts. Raises TooLargeError for one that cannot fit."""
    needed = _cost(model, work, tokens, runs, targets, chosen or Chosen())
    free = free_memory(device_of(model.model))
    small = needed.bytes < _MUCH_BYTES and (free is None or needed.bytes <= free)
    if small and needed.operations < _FEW_OPERATIONS and needed.elements < _FEW_ELEMENTS:
        return
    planned = _planned(model, work, tokens, needed)
    if not planned.fits:
        raise TooLargeError(f"{planned}; {planned.smaller}")
    if planned.seconds >= _LONG_SECONDS or planned.bytes >= _MUCH_BYTES:
        _log.info("%s", planned)


def foresee_generation(texts: QueryKeyTexts) -> None:
    """Log what generating after these texts takes, where the caller asked for it."""
    if texts.generate is not None:
        for encoded in texts.encoded:
            foresee(texts.model, GENERATION, len(encoded.tokens), texts.generate)


def _planned(model: Model, work: Work, tokens: int, needed: Cost) -> Plan:
    device = device_of(model.model)
    operations, elements = speed(device)
    seconds = needed.operations / operations + needed.elements / elements
    return Plan(work.name, tokens, int(needed.bytes), free_memory(device), seconds, work.smaller)


def _cost(model: Model, work: Work, tokens: int, runs: int, targets: int, chosen: Chosen) -> Cost:
    size = size_of(model, tokens, runs, targets)
    needed = work.cost(size)
    if work is not MAPS:
        return needed
    rows, keys = (min(n or tokens, tokens) for n in (chosen.queries, chosen.keys))
    map_bytes = (chosen.layers or size.layers) * (chosen.heads or size.heads) * rows
    map_bytes *= keys * chosen.maps + 12 + chosen.top * 4
    return Cost(needed.bytes + map_bytes, needed.operations, needed.elements * rows / max(tokens, 1))


def _words(tokens: int) -> int:
    """About how many words this many tokens make."""
    return max(1, tokens * 3 // 4)


def _size(amount: float) -> str:
    return f"{amount / 2**30:,.1f} GB" if amount >= 2**29 else f"{amount / 2**20:,.0f} MB"


def _time(seconds: float) -> str:
    if seconds < 1:
        return "less than a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:,.0f} minutes" if seconds < 5400 else f"{seconds / 3600:,.1f} hours"
