"""A model comes back as it was.

Whatever a run needs changed (evaluation mode, frozen parameters, hooks, the attention implementation) is undone
afterwards, also after an error or Ctrl-C.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from attnscope.models.packed_weights import unpacked
from attnscope.models.thread_bound import ATTENTION_NAME, attention_names_kept, undone_by

# A change to a model is visible to every thread that uses it: one thread at a time.
_LOCK = threading.RLock()
_MISSING = object()
_HOOKS = ("_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called")
_PRE_HOOKS = ("_forward_pre_hooks", "_forward_pre_hooks_with_kwargs")
# Set by transformers once it has added its own recording hooks; they go with the hooks.
_RECORDING = "_output_capturing_hooks_installed"


@contextmanager
def unchanged(net: PreTrainedModel) -> Iterator[None]:
    """Evaluation mode and frozen parameters inside; mode, `requires_grad`, hooks and attention implementation restored,
    and what a forward pass has changed about its modules.

    No parameter can receive a gradient inside, so autograd keeps no activations for one.
    """
    with _LOCK, attention_names_kept():
        modules = list(net.modules())
        # By place: a parameter that is kept elsewhere may be another object after it was brought here.
        parameters = [(module, name) for module in modules for name in module._parameters]
        training = [module.training for module in modules]
        trainable = [_requires_grad(module, name) for module, name in parameters]
        hooks = [[dict(getattr(module, name)) for name in (*_HOOKS, *_PRE_HOOKS)] for module in modules]
        recording = [module.__dict__.get(_RECORDING) for module in modules]
        # Weights may be packed anew as they are first used, and what a module notes about it belongs with them.
        states = [(module, _state(module)) for module in modules if not module._parameters]
        configs = configurations(net)
        attention = [vars(config).get(ATTENTION_NAME) for config in configs]
        forwards = [module.__dict__.get("forward") for module in modules]

        def restore() -> None:
            for (module, name), flag in zip(parameters, trainable, strict=True):
                if flag is not None and _requires_grad(module, name) is not flag:
                    module._parameters[name].requires_grad_(flag)  # type: ignore[union-attr]
            for module, mode, module_hooks, recorded in zip(modules, training, hooks, recording, strict=True):
                module.training = mode
                for name, before in zip((*_HOOKS, *_PRE_HOOKS), module_hooks, strict=True):
                    now = getattr(module, name)
                    for key in [key for key in now if key not in before]:
                        del now[key]
                if recorded is None:
                    module.__dict__.pop(_RECORDING, None)
            for module, forward in zip(modules, forwards, strict=True):
                if forward is None:
                    module.__dict__.pop("forward", None)
                else:
                    module.__dict__["forward"] = forward
            for module, (attributes, children, buffers) in states:
                _restore(module.__dict__, attributes)
                _restore(module._modules, children)
                _restore(module._buffers, buffers)
            for config, implementation in zip(configs, attention, strict=True):
                if vars(config).get(ATTENTION_NAME) != implementation:
                    vars(config)[ATTENTION_NAME] = implementation

        with undone_by(restore), unpacked(net):
            net.eval()  # type: ignore[no-untyped-call]
            for parameter in net.parameters():
                parameter.requires_grad_(False)
            yield


def _requires_grad(module: nn.Module, name: str) -> bool | None:
    parameter = module._parameters.get(name)
    return None if parameter is None else parameter.requires_grad


def _state(module: nn.Module) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The module's attributes, its parts and its buffers: a forward pass may exchange them."""
    return dict(module.__dict__), dict(module._modules), dict(module._buffers)


def _restore(now: dict[str, Any], before: dict[str, Any]) -> None:
    for name in [name for name in now if name not in before]:
        del now[name]
    for name, value in before.items():
        if now.get(name, _MISSING) is not value:
            now[name] = value


def configurations(net: PreTrainedModel) -> list[Any]:
    """The model's configuration, and those of its parts."""
    return list({id(c): c for module in net.modules() for c in within(getattr(module, "config", None))}.values())


def within(config: Any) -> Iterator[Any]:
    """A config and the configs inside it."""
    if config is None or not hasattr(config, "sub_configs"):
        return
    yield config
    for name in config.sub_configs:
        yield from within(getattr(config, name, None))
