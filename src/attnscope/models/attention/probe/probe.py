"""The probe: how a model's attention is read, and that it is read faithfully, found out on a few tokens.

A model that goes through transformers' attention interface is run with SDPA and its weights are worked out from its
queries and keys; one that comes with eager attention and does something else with SDPA is run eager, and its matrices
are read as it forms them; in one outside the interface the softmax is intercepted. Whatever the way: the model's output
must be what it was as it came, what each call returns must be its weights times its values, and every row must agree
with the model's own eager attention. A model for which this does not hold is refused by name.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import by_chance
from attnscope.models.attention.probe.labels import (
    TOLERANCE,
    UNREAD,
    Label,
    difference,
    expected,
    labels_of,
    nothing_to_show,
    stacks_run,
)
from attnscope.models.attention.probe.trial import (
    Pass,
    TrialCall,
    eager_pass,
    pass_as_it_came,
    products_pass,
    served_pass,
)
from attnscope.models.attention.serving import IMPLEMENTATION
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.model_facts import AttentionLayout
from attnscope.models.quantisation import quantisation_of

# What the outputs of two passes may differ in, as a share of their size; in half precision and with quantised weights
# they drift apart.
_OUTPUT_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}
_ROUNDING_OUTPUT_TOLERANCE = 0.1


def probed(
    net: PreTrainedModel, body: nn.Module, inputs: Mapping[str, Tensor], *, with_decoder: bool
) -> AttentionLayout:
    """The layout of the model, by its calls in the order of a pass; layers are numbered as they come.

    To be used inside `unchanged` and without gradients. Raises ModelError for a model that cannot be read faithfully.
    """
    stacks = stacks_run(net, with_decoder=with_decoder)
    came_with = net.config._attn_implementation
    came = pass_as_it_came(net, body, inputs)
    eager = eager_pass(net, body, inputs)
    watched = served_pass(net, body, inputs, IMPLEMENTATION)
    if not watched.calls:
        return _outside_the_interface(net, body, inputs, eager, came, stacks)
    same = came_with == net.config._attn_implementation
    try:
        labels = _checked(net, watched, came, eager, stacks, same=same)
        return _layout(watched.calls, labels, IMPLEMENTATION)
    except ModelError:
        if came_with != "eager":
            raise
    watched = served_pass(net, body, inputs, came_with)
    return _layout(watched.calls, _checked(net, watched, came, eager, stacks, same=True), came_with)


def check_repeats(net: PreTrainedModel, body: nn.Module, inputs: Mapping[str, Tensor]) -> None:
    """Raises ModelError where two passes of the model as it came differ."""
    with unchanged(net), torch.no_grad():
        one, other = (pass_as_it_came(net, body, inputs) for _ in range(2))
    if _output_change(net, one, other, same=True):
        raise by_chance(net)


def check_beyond_the_trial(
    net: PreTrainedModel, body: nn.Module, inputs: Mapping[str, Tensor], layout: AttentionLayout
) -> None:
    """Compare the output with the model's as it came, on a text that is longer than its windows.

    Needless where the model runs with the attention that it came with: the mask that hides what is far away is then the
    model's own.
    """
    came_with = net.config._attn_implementation
    if layout.hooked or layout.implementation == came_with:
        return
    came = pass_as_it_came(net, body, inputs)
    watched = served_pass(net, body, inputs, layout.implementation)
    if changed := _output_change(net, watched, came, same=came_with == net.config._attn_implementation):
        raise ModelError(_changed(net, changed))


def _layout(calls: list[TrialCall], labels: list[Label], implementation: str = IMPLEMENTATION) -> AttentionLayout:
    """Of a layer that calls attention more than once, only one call is read: its output is not that call's alone."""
    read = {call.module for call, label in zip(calls, labels, strict=True) if label != UNREAD}
    single = not any(call.module in read for call, label in zip(calls, labels, strict=True) if label == UNREAD)
    return AttentionLayout(
        tuple(labels),
        tuple(call.weights.shape[1] for call in calls),
        values=single,
        modules=tuple(call.module for call in calls),
        implementation=implementation,
        single=single,
    )


def _checked(
    net: PreTrainedModel, watched: Pass, came: Pass, eager: Pass, stacks: tuple[str, ...], *, same: bool
) -> list[Label]:
    """The labels of the calls, once the output and each call have been found to be what the model does.

    Where passes can be compared, its rows agree with the eager ones. Where rounding drives them apart, in half
    precision and with quantised weights, or where eager attention reports other weights than those that it multiplies
    its values with (a sink outside the softmax), both must be exact for their own queries and keys, and be the same
    call.

    same: whether the model is watched with the attention that it came with.
    """
    if changed := _output_change(net, watched, came, same=same):
        raise ModelError(_changed(net, changed))
    calls = watched.calls
    beside = eager.calls if len(eager.calls) == len(calls) else []
    labels = labels_of(net, beside or calls, eager, stacks)
    reported = expected(net, eager, stacks)
    for i, (ours, (stack, layer)) in enumerate(zip(calls, labels, strict=True)):
        if (stack, layer) == UNREAD:
            continue
        if ours.excess > 1:
            raise ModelError(
                f"{type(net).__name__} does not return what its attention weights make of its values, in layer "
                f"{layer} (attention implementation {net.config._attn_implementation!r}): attnscope would show what "
                'the model does not do. With model.set_attn_implementation("sdpa") or "eager" it may be read'
            )
        theirs = reported[stack][layer] if stack in reported else beside[i].weights if beside else ours.weights
        error = difference(ours.weights, theirs)
        agrees = error <= TOLERANCE.get(net.dtype, 3e-2) and not _rounds(net)
        if not agrees and beside and ours.given is not None:
            agrees = min(beside[i].excess, beside[i].excess_of_weights) <= 1 and ours.like(beside[i])
        elif _rounds(net):
            agrees = error <= TOLERANCE.get(net.dtype, 3e-2)
        if not agrees:
            report = "please report the model"
            if _output_change(net, eager, came, same=same):
                report = 'eager attention is another model than came here: with attn_implementation="eager" it is read'
            raise ModelError(
                f"{type(net).__name__} does something with its attention that attnscope does not know: layer "
                f"{layer} differs from the model's own eager attention by {error:.2g}; {report}"
            )
    return labels


def _outside_the_interface(
    net: PreTrainedModel,
    body: nn.Module,
    inputs: Mapping[str, Tensor],
    eager: Pass,
    came: Pass,
    stacks: tuple[str, ...],
) -> AttentionLayout:
    """The layout of a model whose modules attend in their own way: by the products of their softmax with their values.

    Where there are none, by the weights that modules return.
    """
    if changed := _output_change(net, eager, came, same=True):
        raise ModelError(
            f"{type(net).__name__} computes something else with eager attention, the only one that attnscope can read "
            f"in it, than as it came: its output differs by {changed:.2g} of its size. Loaded with "
            'attn_implementation="eager" it is read as it then computes'
        )
    reported = expected(net, eager, stacks)
    products = products_pass(net, body, inputs)
    calls = [call for call in products.calls if {*call.weights.shape[2:]} <= {*eager.lengths}]
    if calls and (not reported or sum(map(len, reported.values())) == len(calls)):
        labels = labels_of(net, calls, eager, stacks)
        agree = all(
            stack not in reported or difference(call.weights, reported[stack][layer]) <= TOLERANCE.get(net.dtype, 3e-2)
            for call, (stack, layer) in zip(calls, labels, strict=True)
        )
        if agree and all(call.weights.min() >= 0 and call.weights.sum(-1).max() < 1.01 for call in calls):
            layout = _layout(calls, labels)
            return replace(layout, hooked=tuple((call.module, None) for call in calls))
    layers = [(stack, layer, weights) for stack, of in reported.items() for layer, weights in enumerate(of)]
    if not layers:
        raise nothing_to_show(net)
    if len(reported) > 1 or any(id(weights) not in eager.returned for _, _, weights in layers):
        raise ModelError(
            f"{type(net).__name__} neither uses transformers' attention interface nor returns its attention weights "
            "from a module: attnscope cannot read them faithfully; use a gradient method"
        )
    hooked = tuple(eager.returned[id(weights)] for _, _, weights in layers)
    return AttentionLayout(
        tuple((stack, layer) for stack, layer, _ in layers),
        tuple(weights.shape[1] for _, _, weights in layers),
        hooked,
        values=False,
        modules=tuple(module for module, _ in hooked),
        single=len(calls) <= len(layers),  # LiLT attends to text and layout, and returns one of the two
    )


def _rounds(net: PreTrainedModel) -> bool:
    """Whether two passes of this model differ by more than single precision makes."""
    return net.dtype not in (torch.float32, torch.float64) or quantisation_of(net) is not None


def _output_change(net: PreTrainedModel, one: Pass, came: Pass, *, same: bool) -> float:
    """By how much of its size the output of a pass differs from that of the model as it came, if by too much; or 0.

    same: whether both ran with the same kernels; with others, passes in half precision may end anywhere.
    """
    if (_rounds(net) and not same) or not came.hidden.numel():
        return 0.0
    if one.hidden.shape != came.hidden.shape:
        return float("inf")
    size = came.hidden.float().norm()
    change = float((one.hidden.float() - came.hidden.float()).norm() / size.clamp_min(1e-30))
    allowed = _ROUNDING_OUTPUT_TOLERANCE if _rounds(net) else _OUTPUT_TOLERANCE[net.dtype]
    return 0.0 if change <= allowed else change


def _changed(net: PreTrainedModel, change: float) -> str:
    return (
        f"{type(net).__name__} computes something else with the attention that attnscope watches than as it came: its "
        f"output differs by {change:.2g} of its size; please report the model"
    )
