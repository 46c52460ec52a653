"""What a playground holds: the models named at its start, and of texts what saves running them again."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from attnscope.errors import InputError
from attnscope.models.loading.load import Model
from attnscope.serve.jobs import Worker

T = TypeVar("T")
# What may be kept of texts, in bytes, and how many tokens a text may have.
KEPT_BYTES = 512 * 2**20
MAX_TOKENS = 2048


class Kept:
    """Values with their sizes under a budget in bytes: the least recently used go first."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.bytes = 0
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._values

    def clear(self) -> None:
        """Forget all of it."""
        with self._lock:
            self._values.clear()
            self.bytes = 0

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """What is kept under the key, made if it is not. What is larger than the budget is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                value: T = self._values[key][0]
                return value
        made = make()
        with self._lock:
            if key not in self._values:
                self._values[key] = (made, size(made))
                self.bytes += self._values[key][1]
            while self.bytes > self.budget:
                self.bytes -= self._values.popitem(last=False)[1][1]
        return made


class Session:
    """The models by name, each with its worker; what is kept; limits."""

    def __init__(self, models: Iterable[Model], *, kept_bytes: int = KEPT_BYTES, max_tokens: int = MAX_TOKENS) -> None:
        named = [(model.name, model) for model in models]
        if len({name for name, _ in named}) < len(named):
            raise InputError("two models have the same name, so that a page could not tell them apart: give each once")
        self.workers = {name: Worker(model) for name, model in named}
        self.kept = Kept(kept_bytes)
        self.max_tokens = max_tokens

    @property
    def names(self) -> list[str]:
        """The models' names, in the order in which they were given."""
        return list(self.workers)

    def worker(self, name: str) -> Worker:
        """The worker of a model; "" is the first. Raises InputError for a model that was not named at the start."""
        name = name or self.names[0]
        if name not in self.workers:
            raise InputError(f"there is no model {name[:80]!r} here: choose from {', '.join(self.names)}")
        return self.workers[name]

    def close(self) -> None:
        """End the workers."""
        for worker in self.workers.values():
            worker.close()
