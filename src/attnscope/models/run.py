"""Running a model and leaving it as it was found.

Problems solved here:
- whatever a run needs changed (eval mode, frozen parameters, hooks, the attention implementation) is undone afterwards,
  also after an error or Ctrl-C;
- the vocabulary head is kept apart from the body, so that logits exist only for the positions asked for.
"""

import inspect
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from tqdm import tqdm
from transformers import PreTrainedModel

T = TypeVar("T")

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
        configs = {id(c): c for module in modules for c in _configs(getattr(module, "config", None))}.values()
        attention = [getattr(config, "_attn_implementation_internal", None) for config in configs]
        try:
            net.eval()
            for parameter in parameters:
                parameter.requires_grad_(False)
            yield
        finally:
            for parameter, flag in zip(parameters, trainable, strict=True):
                parameter.requires_grad_(flag)
            for module, mode, kept, flag in zip(modules, training, hooks, recording, strict=True):
                module.training = mode
                for name, before in zip((*_HOOKS, *_PRE_HOOKS), kept, strict=True):
                    now = getattr(module, name)
                    for key in [key for key in now if key not in before]:
                        del now[key]
                if flag is None:
                    module.__dict__.pop(_RECORDING, None)
            for config, implementation in zip(configs, attention, strict=True):
                if getattr(config, "_attn_implementation_internal", None) != implementation:
                    config._attn_implementation_internal = implementation


def _configs(config: Any) -> Iterator[Any]:
    """A config and the configs inside it."""
    if config is None or not hasattr(config, "sub_configs"):
        return
    yield config
    for name in config.sub_configs:
        yield from _configs(getattr(config, name, None))


@contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[int], object]]:
    """Yields a function to be told of steps done. On a terminal, and after two seconds: a bar on standard error."""
    with tqdm(desc=what, total=total, delay=2, disable=None, leave=False, dynamic_ncols=True) as shown:
        yield shown.update


def progress(steps: Iterable[T], what: str, total: int) -> Iterator[T]:
    """The steps, with such a bar."""
    with bar(what, total) as done:
        for step in steps:
            yield step
            done(1)


class Cut(BaseException):
    """Leaves a forward pass whose rest is not needed."""


def tensors(net: PreTrainedModel, inputs: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """The tokenizer's lists as a batch of one, on the device of the model's embeddings."""
    device = net.get_input_embeddings().weight.device
    return {name: torch.tensor([list(values)], device=device) for name, values in inputs.items()}


def accepted(module: nn.Module, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `inputs` that the module's forward names, without a cache of keys and values."""
    names = inspect.signature(module.forward).parameters
    kept = {name: value for name, value in inputs.items() if name in names}
    return kept | ({"use_cache": False} if "use_cache" in names else {})


def is_encoder_decoder(net: PreTrainedModel) -> bool:
    """Whether the model has an encoder and a decoder."""
    return bool(getattr(net.config, "is_encoder_decoder", False))


def kind_of(net: PreTrainedModel) -> str:
    """What the model predicts: "causal", "masked", "encoder-decoder", "classifier", "token classifier"; "" is nothing.

    A model with a language-model head that is none of the others predicts each token from those before it.
    """
    name = type(net).__name__
    if "SequenceClassification" in name:
        return "classifier"
    if "TokenClassification" in name:
        return "token classifier"
    if net.get_output_embeddings() is None:
        return ""
    if is_encoder_decoder(net):
        return "encoder-decoder"
    return "masked" if "MaskedLM" in name else "causal"


def self_attention_body(net: PreTrainedModel) -> nn.Module:
    """What reads the text: the encoder of an encoder–decoder, else the model without its head."""
    return net.get_encoder() if is_encoder_decoder(net) else net.base_model


def embedding_layer(net: PreTrainedModel) -> nn.Module:
    """The layer whose output is "the input embeddings" of the text."""
    return self_attention_body(net).get_input_embeddings()


@contextmanager
def embedding_leaf(net: PreTrainedModel, change: Callable[[Tensor], Tensor] | None = None) -> Iterator[list[Tensor]]:
    """Inside, the embedding layer's first output in a forward pass, or what `change` makes of it, takes a gradient.

    The model still receives its input ids, so that whatever it derives from them (positions, token types) stays as it
    is. Yields the list that the leaf, shape (batch, token, hidden), is put in.
    """
    leaves: list[Tensor] = []

    def hook(_module: nn.Module, _args: Any, output: Tensor) -> Tensor | None:
        if leaves:  # an encoder–decoder may embed the decoder's input with the same module
            return None
        leaves.append((change(output) if change else output).detach().requires_grad_())
        return leaves[0]

    handle = embedding_layer(net).register_forward_hook(hook)
    try:
        yield leaves
    finally:
        handle.remove()


@contextmanager
def embeddings_replaced(net: PreTrainedModel, change: Callable[[Tensor], Tensor] | None) -> Iterator[None]:
    """Inside, what the embedding layer first gives in a forward pass goes through `change`."""
    done = False

    def hook(_module: nn.Module, _args: Any, output: Tensor) -> Tensor | None:
        nonlocal done
        if done or change is None:
            return None
        done = True
        return change(output)

    handle = embedding_layer(net).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def forward_replaced(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Inside, calling the module calls `forward` instead."""
    before = module.__dict__.get("forward")  # device_map puts a wrapper there
    module.forward = forward
    try:
        yield
    finally:
        if before is None:
            del module.forward
        else:
            module.forward = before


def _bodies(net: PreTrainedModel) -> list[nn.Module]:
    """The large parts that come before the head; the last one's output is what the head reads."""
    if is_encoder_decoder(net):
        return [net.get_encoder(), net.get_decoder()]
    decoder = net.get_decoder() if type(net).__name__.endswith(("ForCausalLM", "LMHeadModel")) else None
    return [decoder if isinstance(decoder, nn.Module) else net.base_model]


@contextmanager
def split_at_head(
    net: PreTrainedModel, inputs: Mapping[str, Any]
) -> Iterator[tuple[Tensor, Callable[[Tensor], Tensor]]]:
    """Run the body; yield its output (batch, token, hidden) and a function from such (or a part of it) to logits.

    The head is the model's own forward with the body's forward put out of action, so that soft-capping, scaling and
    projections around the vocabulary matrix stay the model's business. Works for heads that look at one position at
    a time: every language-model head.
    """
    bodies = _bodies(net)
    if any(body is net for body in bodies):
        raise NotImplementedError(f"{type(net).__name__} does not separate its head from its body")
    outputs: dict[int, Any] = {}

    def record(module: nn.Module, _args: Any, output: Any) -> None:
        outputs[id(module)] = output
        if module is bodies[-1]:
            raise Cut

    handles = [body.register_forward_hook(record) for body in bodies]
    try:
        net(**accepted(net, inputs))
    except Cut:
        pass
    else:
        raise NotImplementedError(f"{type(net).__name__} does not call its body through {type(bodies[-1]).__name__}")
    finally:
        for handle in handles:
            handle.remove()

    def head(hidden: Tensor) -> Tensor:
        # Only the shape of what is given to forward matters now: the bodies are out of action.
        ids = inputs["input_ids"].new_zeros(hidden.shape[:2])
        short = {"input_ids": ids} | ({"decoder_input_ids": ids} if len(bodies) == 2 else {})
        with forward_replaced(bodies[-1], lambda *_a, **_k: _with_hidden(outputs[id(bodies[-1])], hidden)):
            if len(bodies) == 1:
                return net(**accepted(net, short)).logits
            with forward_replaced(bodies[0], lambda *_a, **_k: outputs[id(bodies[0])]):
                return net(**accepted(net, short)).logits

    yield _hidden(outputs[id(bodies[-1])]), head


def _hidden(output: Any) -> Tensor:
    return output[0] if isinstance(output, tuple) else output.last_hidden_state


def _with_hidden(output: Any, hidden: Tensor) -> Any:
    if isinstance(output, tuple):
        return (hidden, *output[1:])
    return type(output)(last_hidden_state=hidden)
