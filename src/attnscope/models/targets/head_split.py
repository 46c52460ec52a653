"""The vocabulary head apart from the body, so that logits exist only for the positions asked for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import accepted, errors_named, is_encoder_decoder, task_of
from attnscope.models.hooks import EarlyExit, output_replaced
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.model_facts import facts_of
from attnscope.models.thread_bound import here_only
from attnscope.models.typed import as_module, decoder_of, device_of, embedding_weight

# (batch, token, hidden) -> logits (batch, token, vocabulary)
Head = Callable[[Tensor], Tensor]


class HeadNotSeparableError(ModelError):
    """The model's head cannot be called apart from its body; its whole forward pass has to run."""


def _bodies(net: PreTrainedModel) -> list[nn.Module]:
    """The large parts that come before the head; the last one's output is what the head reads."""
    # Of some, "decoder" is the layer that gives the logits (ModernBERT).
    decoder = decoder_of(net)
    body = decoder if isinstance(decoder, PreTrainedModel) and decoder is not net else None
    if is_encoder_decoder(net):
        return [as_module(net.get_encoder()), as_module(decoder if body is None else body.base_model)]
    causal = type(net).__name__.endswith(("ForCausalLM", "LMHeadModel"))
    return [body if body is not None and causal else net.base_model]


@contextmanager
def split_at_head(net: PreTrainedModel, inputs: Mapping[str, Any]) -> Iterator[tuple[Tensor, Head]]:
    """Run the body; yield its output (batch, token, hidden) and a function from such (or a part of it) to logits.

    The head is the model's own forward with the body's output in place of the body, so that soft-capping, scaling and
    projections around the vocabulary matrix stay the model's own. Works for heads that look at one position at a time:
    see `has_separate_head`. Raises HeadNotSeparableError before anything is yielded.
    """
    if facts_of(net).separate_head is False:
        raise HeadNotSeparableError(f"{type(net).__name__} does not separate its head from its body")
    with _split(net, inputs) as parts:
        yield parts


def has_separate_head(net: PreTrainedModel) -> bool:
    """Whether the model has a language-model head that can run apart from its body, on the asked positions alone.

    Tried once a model, by passes of its own: ask before a pass is prepared with hooks.
    """
    if task_of(net) not in ("causal", "masked", "encoder-decoder"):
        return False
    facts = facts_of(net)
    if facts.separate_head is None:
        facts.separate_head = _separate(net)
    return facts.separate_head


def _separate(net: PreTrainedModel) -> bool:
    """Whether the head, apart from the body and on one position alone, gives the logits that the whole model gives."""
    table = embedding_weight(net)
    ids = torch.tensor([[5, 6, 7, 8]], device=device_of(net)) % len(table)
    inputs = {"input_ids": ids} | ({"decoder_input_ids": ids} if is_encoder_decoder(net) else {})
    with unchanged(net), torch.no_grad():
        try:
            whole = logits_of(net, inputs)[:, 2:3].float()
            with _split(net, inputs) as (hidden, head):
                alone = head(hidden[:, 2:3]).float()
        except Exception:  # of the model's own code, given what it is never given: then the whole of it runs
            return False
    rounding = torch.finfo(table.dtype).eps if table.is_floating_point() else 1e-2
    return alone.shape == whole.shape and not bool((alone - whole).abs().max() > 64 * rounding * whole.abs().max())


@contextmanager
def _split(net: PreTrainedModel, inputs: Mapping[str, Any]) -> Iterator[tuple[Tensor, Head]]:
    bodies = _bodies(net)
    if any(body is net for body in bodies):
        raise HeadNotSeparableError(f"{type(net).__name__} does not separate its head from its body")
    outputs: dict[int, Any] = {}

    def record(module: nn.Module, _args: object, output: Any) -> None:
        outputs[id(module)] = output
        if module is bodies[-1]:
            raise EarlyExit

    handles = [body.register_forward_hook(here_only(record)) for body in bodies]
    try:
        with errors_named(net):
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
        with output_replaced(bodies[-1], _with_hidden(outputs[id(bodies[-1])], hidden)):
            if len(bodies) == 1:
                return logits_of(net, short)
            with output_replaced(bodies[0], outputs[id(bodies[0])]):
                return logits_of(net, short)

    yield _hidden(outputs[id(bodies[-1])]), head


def logits_of(net: PreTrainedModel, inputs: Mapping[str, Any]) -> Tensor:
    """The logits of the model's own forward pass.

    Of an answer to a question: (batch, token, 2), where it begins and where it ends; padding is neither.
    """
    with errors_named(net):
        output = net(**accepted(net, inputs))
        if task_of(net) == "answer":
            ends = torch.stack([output.start_logits, output.end_logits], -1)
            mask = inputs.get("attention_mask")
            return ends if mask is None else ends.masked_fill(mask[..., None] == 0, -torch.inf)
        logits: Tensor = output.logits
    return logits


def _hidden(output: Any) -> Tensor:
    hidden: Tensor = output[0] if isinstance(output, tuple) else output.last_hidden_state
    return hidden


def _with_hidden(output: Any, hidden: Tensor) -> Any:
    if isinstance(output, tuple):
        return (hidden, *output[1:])
    return type(output)(last_hidden_state=hidden)
