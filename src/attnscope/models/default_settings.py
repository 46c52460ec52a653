"""What the caller has set for torch and numpy changes no result.

A call may stand inside `torch.no_grad()`, `inference_mode()`, `autocast()`, under another default dtype or device, or
under numpy's `seterr(all="raise")`: inside, all of these are what they are in a fresh process. What `torch.compile` has
compiled, the model or a part of it, runs as it was written: compiled code has no calls that could be watched.
A forked process runs on one thread: OpenMP's threads stay behind in the parent, and a child that waits for them hangs.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import torch

from attnscope.errors import ModelError
from attnscope.models.thread_bound import undone_by

# Of a fresh process.
_NUMPY = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
_DTYPE = torch.float32
_DEVICE = torch.device("cpu")
_AUTOCAST = ("cpu", "cuda", "mps", "xpu")

_PROCESS = os.getpid()


@contextmanager
def default_settings() -> Iterator[None]:
    """Gradients on, no autocast, nothing compiled, float32 on the CPU for what names no dtype or device; the caller's
    settings after it.

    Raises ModelError for a model whose weights were made under `torch.inference_mode()`, where gradients cannot pass.
    """
    with ExitStack() as stack:
        stack.enter_context(np.errstate(**_NUMPY))  # type: ignore[arg-type]
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for device in _AUTOCAST:
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        if "torch._dynamo" in sys.modules:  # else nothing was compiled
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        # Before torch 2.8 or so `get_default_device` does not know of `with torch.device(…)`.
        if torch.empty(0).device != _DEVICE:
            stack.enter_context(_DEVICE)
        stack.enter_context(_default_dtype())
        if os.getpid() != _PROCESS:
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)
        try:
            yield
        except RuntimeError as error:
            if "nference tensor" not in str(error):
                raise
            raise ModelError(
                "the model was made under torch.inference_mode(), so no gradient can pass its weights: make it outside "
                "(torch.no_grad() does no harm)"
            ) from error


# For whom the default dtype is _DTYPE now, and what it was before the first of them.
_set_for: set[object] = set()
_before = _DTYPE
_lock = threading.RLock()


@contextmanager
def _default_dtype() -> Iterator[None]:
    """Torch has one for all threads: it is _DTYPE until the last thread that needs it so is done."""
    mine = object()

    def leave() -> None:
        with _lock:
            if mine in _set_for and len(_set_for) == 1:
                torch.set_default_dtype(_before)
            _set_for.discard(mine)

    with undone_by(leave):
        with _lock:
            global _before
            if not _set_for:
                _before = torch.get_default_dtype()
            _set_for.add(mine)
            torch.set_default_dtype(_DTYPE)
        yield
