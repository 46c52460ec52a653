"""What attnscope changes about a model while it runs is seen by the thread that changed it, and by no other.

A model is one object for all threads: a hook, a forward in the place of another and the name of its attention would act
in every pass of it, also in one that the user runs meanwhile. Here they ask which thread they act for.

Autograd runs a layer again in threads of its own where the model is on a GPU: `on_behalf` carries the thread over.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from transformers import PreTrainedConfig

_here = threading.local()
# Where a configuration keeps the name of its attention.
ATTENTION_NAME = "_attn_implementation_internal"
# The attribute by which a configuration that has a name for a thread, or a copy of it, finds that name.
ATTENTION_MARK = "_attention_is_named"
# For a thread and a configuration (by its id; it is kept alive beside the name), the name of its attention there.
_names: dict[tuple[int, int], tuple[Any, str | None]] = {}
_lock = threading.RLock()


def acting_thread() -> int:
    """The thread for which this one runs: itself, but for those of autograd's own."""
    return getattr(_here, "acting_for", None) or threading.get_ident()


def on_behalf(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which acts for the thread that calls this, whichever thread calls it."""
    owner = acting_thread()

    @wraps(function)
    def acting(*args: Any, **kwargs: Any) -> Any:
        before = getattr(_here, "acting_for", None)
        _here.acting_for = owner
        try:
            return function(*args, **kwargs)
        finally:
            _here.acting_for = before

    return acting


def here_only(function: Callable[..., Any], elsewhere: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """The function for the thread that calls this; other threads get `elsewhere`, or None where it is a hook."""
    owner = acting_thread()

    @wraps(elsewhere or function)
    def bound(*args: Any, **kwargs: Any) -> Any:
        if acting_thread() == owner:
            return function(*args, **kwargs)
        return None if elsewhere is None else elsewhere(*args, **kwargs)

    return bound


def name_attention(config: Any, name: str) -> None:
    """In this thread the configuration says that its attention is `name`; to be used inside `attention_names_kept`."""
    with _lock:
        _names[acting_thread(), id(config)] = (config, name)
        # Copies that a model makes as it runs, such as the configuration of one layer, have the name too.
        vars(config)[ATTENTION_MARK] = id(config)
        setattr(PreTrainedConfig, ATTENTION_NAME, property(_read_name, _write_name))


@contextmanager
def attention_names_kept() -> Iterator[None]:
    """Afterwards the names that configurations have in this thread are those before."""
    thread = acting_thread()
    before = {key: entry for key, entry in _names.items() if key[0] == thread}

    def restore() -> None:
        with _lock:
            for key in [key for key in _names if key[0] == thread]:
                config, _ = _names.pop(key)
                if all(key[1] != of for _, of in (*_names, *before)):
                    vars(config).pop(ATTENTION_MARK, None)
            _names.update(before)
            if not _names and ATTENTION_NAME in vars(PreTrainedConfig):
                delattr(PreTrainedConfig, ATTENTION_NAME)

    with undone_by(restore):
        yield


def _read_name(config: Any) -> str | None:
    named = _names.get((acting_thread(), vars(config).get(ATTENTION_MARK, id(config))))
    if named is not None:
        return named[1]
    if ATTENTION_NAME not in vars(config):
        raise AttributeError(ATTENTION_NAME)
    name: str | None = vars(config)[ATTENTION_NAME]
    return name


def _write_name(config: Any, name: str | None) -> None:
    vars(config)[ATTENTION_NAME] = name


@contextmanager
def undone_by(undo: Callable[[], None]) -> Iterator[None]:
    """Afterwards `undo` has run to its end: once more where Ctrl-C interrupts it, so it may begin twice."""
    done = False
    try:
        try:
            yield
        finally:
            undo()
            done = True
    finally:
        if not done:
            undo()
