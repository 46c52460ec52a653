"""What attention writes into the residual stream: the projection that follows it, found by watching short passes.

A module is the output projection of an attention call if it is given exactly that call's output, or that output times a
gate: one number for each element, of each query's own, whatever the output is. What tells a gate from a norm are other
outputs in the place of the model's: of ones a gate leaves itself, and any other it multiplies by the same numbers.

How the module keeps its weights (Linear, GPT-2's transposed Conv1D, quantised, with an adapter around it, elsewhere and
brought as needed) does not matter: they are read from what it computes.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import accepted
from attnscope.models.attention.interface import AttentionCall, CallChange
from attnscope.models.attention.layout import attention_layout, body_of
from attnscope.models.attention.watching import by_layer, watching
from attnscope.models.hooks import EarlyExit
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.model_facts import Projection, facts_of, probe_inputs
from attnscope.models.thread_bound import here_only

# How far rounding may take a gated output, as a share of its length: in units of the model's precision, and at least.
_ROUNDINGS, _LEAST = 4, 1e-5
# Given a layer and the output of its attention: what the model goes on with.
_Attended = Callable[[int, Tensor], Tensor]
# Given a module and what it is given: what it gets instead; None: the same.
_Given = Callable[[nn.Module, Tensor], Tensor | None]
# A pass over these layers' attention and every module with a matrix.
_Run = Callable[[_Attended, _Given], None]


def output_projections(net: PreTrainedModel, inputs: Mapping[str, Tensor], stack: str) -> dict[int, Projection]:
    """Layer -> what its heads' outputs go through. Raises ModelError where one cannot be found."""
    projections = facts_of(net).projections
    if stack not in projections:
        projections[stack] = _find_projections(net, inputs, stack)
    return projections[stack]


def gate_of(net: PreTrainedModel, inputs: Mapping[str, Tensor], stack: str, layer: int) -> Tensor | None:
    """(query, all heads' hidden): what the layer multiplies its attention's output by, before the projection.

    Of a single text; None where it multiplies by nothing. A pass up to the layer, whose attention puts out ones.
    """
    projection = output_projections(net, inputs, stack)[layer]
    if not projection.gated:
        return None
    found: list[Tensor] = []
    attended = False

    def ones(_layer: int, output: Tensor) -> Tensor:
        nonlocal attended
        attended = True
        return torch.ones_like(output)

    def note(module: nn.Module, given: Tensor) -> None:
        if attended and module is projection.module:
            found.append(given.flatten(0, -2))
            raise EarlyExit

    with suppress(EarlyExit):
        _run(net, inputs, stack, [layer], ones, note)
    if not found:  # a hook that came later changes it
        raise _not_found(net, layer)
    return found[0]


def _find_projections(net: PreTrainedModel, inputs: Mapping[str, Tensor], stack: str) -> dict[int, Projection]:
    layout = attention_layout(net, inputs, stack)
    if not layout.values:
        name = type(net).__name__
        raise ModelError(f"{name} multiplies its values in its own way, so its value vectors cannot be seen")
    trial = probe_inputs(inputs)
    layers = layout.heads_of(stack).keys()
    found = _as_it_is(partial(_run, net, trial, stack, layers))
    if ungiven := layers - found.keys():
        found |= _gated(partial(_run, net, trial, stack, ungiven))
    if missing := sorted(layers - found.keys()):
        raise _not_found(net, missing[0])
    return found


def _not_found(net: PreTrainedModel, layer: int) -> ModelError:
    return ModelError(
        f"in {type(net).__name__} no projection takes the output of the attention of layer {layer} as it is, or times "
        "a gate, so what each head writes cannot be told apart"
    )


def _as_it_is(run: _Run) -> dict[int, Projection]:
    """The projections that are given the very output."""
    outputs: dict[int, Tensor] = {}
    found: dict[int, Projection] = {}

    def note(layer: int, output: Tensor) -> Tensor:
        outputs[layer] = output
        return output

    def compare(module: nn.Module, given: Tensor) -> None:
        for layer, output in list(outputs.items()):
            if given.numel() == output.numel() and torch.equal(given.flatten(), output.flatten()):
                found[layer] = Projection(module, given.flatten(0, -2)[:1])
                del outputs[layer]

    run(note, compare)
    return found


def _gated(run: _Run) -> dict[int, Projection]:
    """The projections that are given the output times a gate.

    A pass as it is; one with ones for outputs, which leave the gates; and one with other outputs, to hold the gates
    against. Each projection that is recognised goes on with what it had in the first, so that the layers above it see
    the same in all three.
    """
    outputs: dict[int, Tensor] = {}
    inputs: dict[tuple[int, nn.Module], Tensor] = {}
    gates: dict[tuple[int, nn.Module], Tensor] = {}
    found: dict[int, Projection] = {}
    layer = -1  # whose attention was the last

    def keep(this: int, output: Tensor) -> Tensor:
        nonlocal layer
        layer, outputs[this] = this, output
        return output

    def note(module: nn.Module, given: Tensor) -> None:
        output = outputs.get(layer)
        if output is not None and given.numel() == output.numel() and given.shape[-1] == output[0, 0].numel():
            inputs.setdefault((layer, module), given)

    def ones(this: int, output: Tensor) -> Tensor:
        nonlocal layer
        layer = this
        return torch.ones_like(output)

    def find(module: nn.Module, gate: Tensor) -> Tensor | None:
        given = inputs.get((layer, module))
        if given is None or (layer, module) in gates or not _is_product(given, gate, outputs[layer]):
            return None
        gates[layer, module] = gate
        return given

    def others(this: int, output: Tensor) -> Tensor:
        nonlocal layer
        layer = this
        return _other(output)

    def confirm(module: nn.Module, given: Tensor) -> Tensor | None:
        gate = gates.get((layer, module))
        if gate is None or layer in found or not _is_product(given, gate, _other(outputs[layer])):
            return None
        found[layer] = Projection(module, given.flatten(0, -2)[:1], gated=True)
        return inputs[layer, module]

    for attended, seen in ((keep, note), (ones, find), (others, confirm)):
        layer = -1
        run(attended, seen)
    return found


def _other(output: Tensor) -> Tensor:
    """Numbers of both signs, of the shape of an output, that have nothing to do with it."""
    return (2 * torch.arange(output.numel(), device=output.device).sin()).view(output.shape).to(output.dtype)


def _is_product(given: Tensor, gate: Tensor, output: Tensor) -> bool:
    """Whether what a module is given is the output times the gate, as far as rounding goes; (…, all heads' hidden)."""
    if given.shape != gate.shape or not gate.any():
        return False
    off = given.float() - gate.float() * output.reshape(given.shape).float()
    allowed = max(_ROUNDINGS * torch.finfo(given.dtype).eps, _LEAST)
    return bool((off.norm(dim=-1) <= allowed * given.float().norm(dim=-1)).all())


def _run(
    net: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    stack: str,
    layers: Collection[int],
    attended: _Attended,
    given: _Given,
) -> None:
    layout = attention_layout(net, inputs, stack)

    def see(layer: int, _call: AttentionCall) -> CallChange:
        return CallChange(on_output=partial(attended, layer))

    came: dict[nn.Module, Tensor] = {}

    def before(module: nn.Module, args: tuple[Any, ...]) -> None:
        if args and isinstance(args[0], Tensor):
            came[module] = args[0]

    def hook(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        first = came.pop(module, None)
        # What a hook of the user's makes of it would count twice, as a gate and as a part of the module.
        if first is None or not (args[0] is first or torch.equal(args[0], first)):
            return None
        instead = given(module, args[0])
        return None if instead is None else (instead, *args[1:])

    # The outermost is the first to be called: an adapter's layer, before what it is around.
    weighted = [m for m in net.modules() if _has_matrix(m) or _has_matrix(getattr(m, "base_layer", None))]
    body = body_of(net, stack)
    watcher = by_layer(layout, stack, layers, see, stop_early=False)
    with unchanged(net), torch.no_grad(), watching(net, layout, watcher) as extra:
        for module in weighted:
            module.register_forward_pre_hook(here_only(before), prepend=True)
            module.register_forward_pre_hook(here_only(hook))
        body(**accepted(body, inputs), **extra)


def _has_matrix(module: object) -> bool:
    """Quantised layers may keep their matrix elsewhere than in a parameter."""
    if not isinstance(module, nn.Module):
        return False
    return hasattr(module, "in_features") or any(p.dim() == 2 for p in module.parameters(recurse=False))


def per_head(net: PreTrainedModel, projection: Projection, heads: int) -> Tensor:
    """(head, head hidden, hidden): the matrix that each head's output is multiplied by; the bias belongs to no head."""
    like = projection.given
    width = like.shape[-1]
    with unchanged(net), torch.no_grad():
        identity = torch.eye(width, dtype=like.dtype, device=like.device)
        try:
            projected = projection.module(identity), projection.module(torch.zeros_like(identity[:1]))
        except (RuntimeError, TypeError, ValueError):
            projected = (None, None)
    if not all(isinstance(output, Tensor) for output in projected):
        raise ModelError(f"{type(projection.module).__name__} is not a linear map that attnscope can read")
    matrix: Tensor = projected[0] - projected[1]
    return matrix.reshape(heads, -1, matrix.shape[-1])
