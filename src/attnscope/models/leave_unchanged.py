"""A model comes back as it was.

Whatever a run needs changed (evaluation mode, frozen parameters, hooks, the attention implementation) is undone
afterwards, also after an error or Ctrl-C.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transformers import PreTrainedModel

# A change to a model is visible to every thread that uses it: one thread at a time.
_LOCK = threading.RLock()
_HOOKS = ("_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called")
_PRE_HOOKS = ("_forward_pre_hooks", "_forward_pre_hooks_with_kwargs")
# Set by transformers once it has added its own recording hooks; they go with the hooks.
_RECORDING = "_output_capturing_hooks_installed"


@contextmanager
def unchanged(net: PreTrainedModel) -> Iterator[None]:
    """Evaluation mode and frozen parameters inside; mode, `requires_grad`, hooks and attention implementation restored.

    No parameter can receive a gradient inside, so autograd keeps no activations for one.
    """
    with _LOCK:
        modules = list(net.modules())
        parameters = list(net.parameters())
        training = [module.training for module in modules]
        trainable = [parameter.requires_grad for parameter in parameters]
        hooks = [[dict(getattr(module, name)) for name in (*_HOOKS, *_PRE_HOOKS)] for module in modules]
        recording = [module.__dict__.get(_RECORDING) for module in modules]
        configs = configurations(net)
        attention = [getattr(config, "_attn_implementation_internal", None) for config in configs]
        try:
            net.eval()  # type: ignore[no-untyped-call]
            for parameter in parameters:
                parameter.requires_grad_(False)
            yield
        finally:
            for parameter, flag in zip(parameters, trainable, strict=True):
                parameter.requires_grad_(flag)
            for module, mode, module_hooks, recorded in zip(modules, training, hooks, recording, strict=True):
                module.training = mode
                for name, before in zip((*_HOOKS, *_PRE_HOOKS), module_hooks, strict=True):
                    now = getattr(module, name)
                    for key in [key for key in now if key not in before]:
                        del now[key]
                if recorded is None:
                    module.__dict__.pop(_RECORDING, None)
            for config, implementation in zip(configs, attention, strict=True):
                if getattr(config, "_attn_implementation_internal", None) != implementation:
                    config._attn_implementation_internal = implementation


def configurations(net: PreTrainedModel) -> list[Any]:
    """The model's configuration, and those of its parts."""
    return list({id(c): c for module in net.modules() for c in _configs(getattr(module, "config", None))}.values())


def _configs(config: Any) -> Iterator[Any]:
    """A config and the configs inside it."""
    if config is None or not hasattr(config, "sub_configs"):
        return
    yield config
    for name in config.sub_configs:
        yield from _configs(getattr(config, name, None))
