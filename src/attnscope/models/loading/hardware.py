"""This machine: its free memory, how it is taken and released, and roughly how fast it computes."""

import ctypes
import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_USED = ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes")


def free_memory(device: torch.device) -> int | None:
    """Bytes that a process can still allocate on the device, or None where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")]
    except OSError:
        pass
    for limit, used in zip(_LIMITS, _USED, strict=True):
        try:
            free.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    if free:
        return max(0, min(free))
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, OSError, ValueError):
        return None


def use_huge_pages() -> None:
    """Ask torch to allocate large buffers in huge pages (Linux): a long text would cause millions of page faults.

    Torch reads this when it makes its first tensor; later it changes nothing. The user's own choice stands.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def release_freed_memory() -> None:
    """Return to the system what glibc keeps of freed memory; with another C library, do nothing.

    Saved activations lie between freed temporaries, and the gaps rarely fit what comes next: on a long text they add up
    to a third of the peak.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], object] | None:
    try:
        return getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):
        return None


@cache
def speed(device: torch.device) -> tuple[float, float]:
    """Floating-point operations a second in a matrix product, and elements a second through a softmax."""
    left, right = torch.rand(512, 576, device=device), torch.rand(576, 1024, device=device)
    products = _rate(lambda: left @ right, 2 * 512 * 576 * 1024, device)
    scores = torch.rand(500_000, device=device).view(500, 1000)
    return products, _rate(lambda: scores.softmax(-1), scores.numel(), device)


def _rate(work: Callable[[], object], amount: float, device: torch.device) -> float:
    work()
    best = 0.0
    for _ in range(10):  # the best: what else runs comes and goes
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = max(best, amount / max(time.perf_counter() - start, 1e-7))
    return best
