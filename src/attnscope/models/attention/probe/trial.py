"""The passes of a trial, on a few tokens: the model as it came, with its own eager attention, and while it is watched.

Of each call of attention is kept what the passes are compared by. What is computed is judged against the same queries
and keys in float64.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import accepted
from attnscope.models.attention.eager_hook import Multiply, SoftmaxInterceptor
from attnscope.models.attention.interface import AttentionCall, CallChange, EagerCall, SDPACall, watched_by
from attnscope.models.attention.rounding import exact_attention
from attnscope.models.attention.serving import eager_watched_by, served, set_implementation
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.thread_bound import here_only

# Where a model's output has the weights of each stack.
OUTPUTS = {
    "self": "attentions",
    "encoder": "encoder_attentions",
    "decoder": "decoder_attentions",
    "cross": "cross_attentions",
}


@dataclass(frozen=True)
class TrialCall:
    """What is kept of a call of attention.

    weights:    (batch, head, query, key) as attnscope reads them, or as eager attention made them; on the CPU.
    given:      how many keys each query sees, and the scale and soft cap of the scores; None where the model forms the
                matrix itself.
    excess:     the largest error of its output, in units of what rounding allows for these queries, keys and values.
    excess_of_weights: the same of the weights that eager attention made.
    returned:   the tensor of weights that eager attention made, by which it is known again in the model's output.
    """

    module: nn.Module
    weights: Tensor
    given: tuple[Tensor, float, float | None] | None = None
    excess: float = 0.0
    excess_of_weights: float = 0.0
    returned: Tensor | None = None

    def like(self, other: "TrialCall") -> bool:
        """Whether both are the same call, of two passes."""
        if self.given is None or other.given is None:
            return False
        (mine, *my_scale), (theirs, *their_scale) = self.given, other.given
        return (
            self.module is other.module
            and my_scale == their_scale
            and self.weights.shape == other.weights.shape
            and bool((mine == theirs).all())
        )


@dataclass(frozen=True)
class Pass:
    """One pass of a trial.

    hidden:   the last hidden states, for whose sake the body runs. calls: in the order in which they were made.
    reported: of each stack what the model itself gives as its layers' attention.
    returned: by a tensor's id, the module that returned it and its index in the output; the tensors are kept alive in
              `alive`, or another might get the same id.
    lengths:  how many tokens the texts have.
    """

    hidden: Tensor
    calls: list[TrialCall] = field(default_factory=list)
    reported: dict[str, list[Tensor]] = field(default_factory=dict)
    returned: dict[int, tuple[nn.Module, int]] = field(default_factory=dict)
    alive: list[Tensor] = field(default_factory=list)
    lengths: tuple[int, ...] = ()


def pass_as_it_came(net: PreTrainedModel, body: nn.Module, inputs: Mapping[str, Tensor]) -> Pass:
    """The model as the user runs it. Raises ModelError for one that cannot read a text alone."""
    with _errors_named(net, "does not run on a text alone"):
        return Pass(_hidden(body(**accepted(body, inputs))))


def eager_pass(net: PreTrainedModel, body: nn.Module, inputs: Mapping[str, Tensor]) -> Pass:
    """The model with its own eager attention, returning its weights."""
    calls: list[TrialCall] = []
    returned: dict[int, tuple[nn.Module, int]] = {}
    alive: list[Tensor] = []

    def note(module: nn.Module, _args: object, output: object) -> None:
        if isinstance(output, tuple | list):
            for i, part in enumerate(output):
                if isinstance(part, Tensor) and part.dim() == 4:
                    returned.setdefault(id(part), (module, i))
                    alive.append(part)

    with unchanged(net):  # a function of the user's own is what the model comes back to
        set_implementation(net, "eager")
        for module in body.modules():
            module.register_forward_hook(here_only(note), prepend=True)
        with _errors_named(net, "gives no attention weights"), eager_watched_by(partial(_keep_eager, calls)):
            outputs = body(**accepted(body, inputs), output_attentions=True)
    reported = {stack: _reported(outputs, name) for stack, name in OUTPUTS.items()}
    reported = {stack: of for stack, of in reported.items() if of}
    lengths = tuple(inputs[name].shape[1] for name in ("input_ids", "decoder_input_ids") if name in inputs)
    return Pass(_hidden(outputs), calls, reported, returned, alive, lengths)


def served_pass(net: PreTrainedModel, body: nn.Module, inputs: Mapping[str, Tensor], implementation: str) -> Pass:
    """The model while it is watched, with this attention; no calls where it does not go through the interface."""
    calls: list[TrialCall] = []
    if not set_implementation(net, implementation):
        return Pass(torch.empty(0))
    with served(), watched_by(partial(_keep, calls)):
        return Pass(_hidden(body(**accepted(body, inputs))), calls)


def products_pass(net: PreTrainedModel, body: nn.Module, inputs: Mapping[str, Tensor]) -> Pass:
    """Eager attention outside the interface: the products of a softmax with values.

    The module of each is the innermost that forms both; softmax and product may be modules of their own.
    """
    calls: list[TrialCall] = []
    running: list[nn.Module] = []
    at_softmax: list[nn.Module] = []
    batch = next(len(x) for x in inputs.values())

    def begin(module: nn.Module, _args: object) -> None:
        running.append(module)

    def end(_module: nn.Module, _args: object, _output: object) -> None:
        running.pop()

    def softmax(scores: Tensor, dim: int) -> Tensor:
        at_softmax[:] = running
        return scores.softmax(dim)

    def product(weights: Tensor, values: Tensor, multiply: Multiply) -> Tensor:
        matrix = weights.reshape(batch, -1, *weights.shape[-2:]).float().cpu()
        around = [module for module, other in zip(running, at_softmax, strict=False) if module is other]
        calls.append(TrialCall(around[-1], matrix))
        return multiply(weights, values)

    with unchanged(net):
        set_implementation(net, "eager")
        for module in body.modules():
            module.register_forward_pre_hook(here_only(begin))
            module.register_forward_hook(here_only(end), prepend=True)
        with SoftmaxInterceptor(product, softmax):
            outputs = body(**accepted(body, inputs))
    return Pass(_hidden(outputs), calls)


@contextmanager
def _errors_named(net: PreTrainedModel, what: str) -> Iterator[None]:
    """An error of the model's own code, in one line that names the model."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise ModelError(
            f"{type(net).__name__} {what} ({reason}): if it is a part of a larger model or needs more than text, load "
            "the part that reads text; otherwise its attention cannot be shown"
        ) from error


def _keep(calls: list[TrialCall], call: AttentionCall) -> CallChange:
    """A call is kept once its output is there."""

    def keep(output: Tensor) -> Tensor:
        weights = call.weights(torch.arange(call.queries)).cpu()
        if isinstance(call, SDPACall):
            given = (call.keys_seen(), call.scaling, call.softcap)
            calls.append(TrialCall(call.module, weights, given, exact_attention(call).excess_of_output(output)))
        else:
            assert isinstance(call, EagerCall)
            calls.append(TrialCall(call.module, weights, None, _excess_of_product(call, output)))
        return output

    return CallChange(on_output=keep)


def _excess_of_product(call: EagerCall, output: Tensor) -> float:
    """How far a module's output is from its matrix times the values, in units of what rounding allows."""
    value = call.value.repeat_interleave(call.heads // call.value.shape[1], 1)
    exact = (call.matrix.double() @ value.double()).transpose(1, 2)
    size = (call.matrix.abs().double() @ value.abs().double()).transpose(1, 2)
    if exact.shape != output.shape:
        return float("inf")
    allowed = 4 * torch.finfo(output.dtype).eps * size + 1e-5
    return float(((output.double() - exact).abs() / allowed).max().nan_to_num(float("inf")))


def _keep_eager(calls: list[TrialCall], call: SDPACall, output: Tensor, weights: Tensor) -> None:
    exact = exact_attention(call)
    calls.append(
        TrialCall(
            call.module,
            weights.float().cpu(),
            (call.keys_seen(), call.scaling, call.softcap),
            exact.excess_of_output(output),
            exact.excess_of_weights(weights),
            weights,
        )
    )


def _hidden(outputs: Any) -> Tensor:
    hidden = getattr(outputs, "last_hidden_state", None)
    hidden = hidden if isinstance(hidden, Tensor) else outputs[0]
    assert isinstance(hidden, Tensor)
    return hidden


def _reported(outputs: Any, name: str) -> list[Tensor]:
    return [weights for weights in getattr(outputs, name, None) or () if isinstance(weights, Tensor)]
