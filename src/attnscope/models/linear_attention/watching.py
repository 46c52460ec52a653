"""Running a model so that the calls of its linear attention are seen, with the module that makes each.

A function of SCANS is exchanged in the file of the module that calls it, for the thread that watches: any other gets
what it asked for. A module of INLINE is read by hooks. To be used inside `unchanged`, which removes these.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn

from attnscope.models.linear_attention.call import LinearCall
from attnscope.models.linear_attention.scans import INLINE, SCANS, Inline, Scan, read_scan
from attnscope.models.thread_bound import acting_thread, here_only, undone_by

See = Callable[[nn.Module, LinearCall], None]


def mechanism(module: nn.Module) -> str | None:
    """The name of the linear attention that a module computes; None where it computes none that is known."""
    found = scan_of(module) or inline_of(module)
    return found.name if found else None


def scan_of(module: nn.Module) -> Scan | None:
    """The function of SCANS that the module's forward calls."""
    name = _called(module)
    return SCANS[name] if name else None


def inline_of(module: nn.Module) -> Inline | None:
    """The entry of INLINE that the module has the parts of."""
    return next((entry for entry in INLINE if all(hasattr(module, part) for part in entry.parts)), None)


def _forward(module: nn.Module) -> Any:
    return inspect.unwrap(type(module).forward)


def _called(module: nn.Module) -> str | None:
    forward = _forward(module)
    names = getattr(getattr(forward, "__code__", None), "co_names", ())
    return next((name for name in SCANS if name in names and name in forward.__globals__), None)


@contextmanager
def linear_watched(modules: Mapping[nn.Module, object], see: See) -> Iterator[None]:
    """Inside, a forward pass shows each call that one of these modules makes to `see(module, call)`."""
    thread = acting_thread()
    running: list[nn.Module] = []
    exchanged: list[tuple[dict[str, Any], str, Any]] = []

    def scan(original: Callable[..., Any], name: str, *args: Any, **kwargs: Any) -> Any:
        returned = original(*args, **kwargs)
        if acting_thread() == thread and running:
            see(running[-1], read_scan(SCANS[name], running[-1], args, kwargs, returned))
        return returned

    def begin(module: nn.Module, _args: object) -> None:
        running.append(module)

    def end(_module: nn.Module, _args: object, _output: object) -> None:
        running.pop()

    def restore() -> None:
        for names, name, original in exchanged:
            names[name] = original

    with undone_by(restore):
        for module in modules:
            if (inline := inline_of(module)) and _called(module) is None:
                _hook(module, inline, see)
                continue
            name, names = _called(module), _forward(module).__globals__
            assert name is not None
            module.register_forward_pre_hook(here_only(begin))
            module.register_forward_hook(here_only(end))
            if not any(where is names and name == other for where, other, _ in exchanged):
                exchanged.append((names, name, names[name]))
                names[name] = partial(scan, names[name], name)
        yield


def _hook(module: nn.Module, inline: Inline, see: See) -> None:
    """What the module is given, what it makes of it, and what comes out, on the way to `see`."""
    mask: list[Tensor | None] = []
    made: list[Tensor] = []
    parameters = inspect.signature(_forward(module))

    def begin(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = parameters.bind(module, *args, **kwargs).arguments
        mask[:] = [given.get("attention_mask")]

    def keep(_module: nn.Module, _args: object, output: Tensor) -> None:
        made[:] = [output]

    def show(_module: nn.Module, args: tuple[Tensor, ...]) -> None:
        see(module, inline.read(module, made[0], args[0], mask[0]))

    module.register_forward_pre_hook(here_only(begin), with_kwargs=True)
    module.get_submodule(inline.made).register_forward_hook(here_only(keep))
    module.get_submodule(inline.before).register_forward_pre_hook(here_only(show))
