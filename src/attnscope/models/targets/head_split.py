"""The vocabulary head apart from the body, so that logits exist only for the positions asked for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.models.architecture import accepted, is_encoder_decoder
from attnscope.models.hooks import Cut, forward_replaced


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
