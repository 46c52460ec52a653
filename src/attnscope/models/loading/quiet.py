"""While a model is loaded, other libraries show nothing; what takes a while has a bar of ours, of which none stays."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from importlib import import_module
from threading import Lock
from typing import Any

from huggingface_hub import logging as hub_logging
from transformers.utils import logging as transformers_logging

from attnscope.models.progress import InNotebook, in_notebook, progress

# What is exchanged belongs to the whole process: the first load in exchanges it, the last one out puts it back.
_lock = Lock()
_inside = 0
_undo: list[Callable[[], object]] = []
# Whether it is this thread that loads.
_loading: ContextVar[bool] = ContextVar("_loading", default=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Loading says what matters through errors: reports, retries and bars would repeat it. Afterwards all is as before.

    What takes a while keeps a bar. A download has the hub's own, and in a notebook, where that would stay in the cell,
    one of ours; the weights of a `.gguf` file have ours everywhere.
    """
    global _inside
    with _lock:
        if not _inside:
            _hush()
        _inside += 1
    token = _loading.set(True)
    try:
        yield
    finally:
        _loading.reset(token)
        with _lock:
            _inside -= 1
            while not _inside and _undo:
                _undo.pop()()


def _hush() -> None:
    for library in (transformers_logging, hub_logging):
        _undo.append(partial(library.set_verbosity, library.get_verbosity()))
        library.set_verbosity(library.ERROR)
    # The function for it sets the hub's bars too, and forgets what was set of them before.
    _exchange("transformers.utils.logging", "_tqdm_active", lambda _module: False)
    _exchange("transformers.modeling_gguf_pytorch_utils", "tqdm", lambda module: partial(_unpacked, module.tqdm))
    if in_notebook():
        _exchange("huggingface_hub.utils.tqdm", "tqdm", _download)


def _exchange(where: str, name: str, made: Callable[[Any], object]) -> None:
    """Exchange what a module has under this name, if it has it: another release may show things in another way."""
    with suppress(ImportError, AttributeError):
        module = import_module(where)
        before = getattr(module, name)
        setattr(module, name, made(module))
        _undo.append(partial(setattr, module, name, before))


def _unpacked(theirs: Callable[..., Iterable[Any]], tensors: Any, *args: Any, **settings: Any) -> Iterable[Any]:
    """The tensors of a `.gguf` file, with our bar, or with theirs where it is not us who loads them."""
    if not _loading.get():
        return theirs(tensors, *args, **settings)
    return progress(tensors, "unpacking weights", len(tensors))


def _download(hub: Any) -> type[InNotebook]:
    """The bar of a download in a notebook; none where the user has turned the hub's off."""

    class Download(InNotebook):
        def __init__(self, *args: Any, name: str | None = None, disable: bool | None = None, **settings: Any) -> None:
            hidden = bool(disable) or hub.are_progress_bars_disabled(name)
            super().__init__(*args, **settings, disable=hidden)

    return Download
