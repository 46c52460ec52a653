"""The vocabulary head apart from the body, so that logits exist only for the positions asked for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import accepted, is_encoder_decoder
from attnscope.models.hooks import EarlyExit, forward_replaced
from attnscope.models.typed import as_module, decoder_of

# (batch, token, hidden) -> logits (batch, token, vocabulary)
Head = Callable[[Tensor], Tensor]


class HeadNotSeparableError(ModelError):
    """The model's head cannot be called apart from its body; its whole forward pass has to run."""


def _bodies(net: PreTrainedModel) -> list[nn.Module]:
    """The large parts that come before the head; the last one's output is what the head reads."""
    if is_encoder_decoder(net):
        return [as_module(net.get_encoder()), as_module(decoder_of(net))]
    decoder = decoder_of(net) if type(net).__name__.endswith(("ForCausalLM", "LMHeadModel")) else None
    return [decoder if isinstance(decoder, nn.Module) else net.base_model]


@contextmanager
def split_at_head(net: PreTrainedModel, inputs: Mapping[str, Any]) -> Iterator[tuple[Tensor, Head]]:
    """Run the body; yield its output (batch, token, hidden) and a function from such (or a part of it) to logits.

    The head is the model's own forward with the body's forward replaced by its output, so that soft-capping, scaling
    and projections around the vocabulary matrix stay the model's own. Works for heads that look at one position at a
    time: every language-model head. Raises HeadNotSeparableError before anything is yielded.
    """
    bodies = _bodies(net)
    if any(body is net for body in bodies):
        raise HeadNotSeparableError(f"{type(net).__name__} does not separate its head from its body")
    outputs: dict[int, Any] = {}

    def record(module: nn.Module, _args: object, output: Any) -> None:
        outputs[id(module)] = output
        if module is bodies[-1]:
            raise EarlyExit

    handles = [body.register_forward_hook(record) for body in bodies]
    try:
        net(**accepted(net, inputs))
    except EarlyExit:
        pass
    else:
        raise HeadNotSeparableError(f"{type(net).__name__} does not call its body through {type(bodies[-1]).__name__}")
    finally:
        for handle in handles:
            handle.remove()

    def head(hidden: Tensor) -> Tensor:
        # Only the shape of what is given to forward matters now: the bodies' outputs are ready.
        ids = inputs["input_ids"].new_zeros(hidden.shape[:2])
        short = {"input_ids": ids} | ({"decoder_input_ids": ids} if len(bodies) == 2 else {})
        with forward_replaced(bodies[-1], lambda *_a, **_k: _with_hidden(outputs[id(bodies[-1])], hidden)):
            if len(bodies) == 1:
                return logits_of(net, short)
            with forward_replaced(bodies[0], lambda *_a, **_k: outputs[id(bodies[0])]):
                return logits_of(net, short)

    yield _hidden(outputs[id(bodies[-1])]), head


def logits_of(net: PreTrainedModel, inputs: Mapping[str, Any]) -> Tensor:
    """The logits of the model's own forward pass."""
    logits: Tensor = net(**accepted(net, inputs)).logits
    return logits


def _hidden(output: Any) -> Tensor:
    hidden: Tensor = output[0] if isinstance(output, tuple) else output.last_hidden_state
    return hidden


def _with_hidden(output: Any, hidden: Tensor) -> Any:
    if isinstance(output, tuple):
        return (hidden, *output[1:])
    return type(output)(last_hidden_state=hidden)
