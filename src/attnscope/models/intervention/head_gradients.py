"""The gradient of a target at the output of every head, by one forward and one backward pass.

To each layer's head outputs a zero is added that takes a gradient: so it reaches heads too that no embedding leads to,
as in a decoder's first layer, and nothing is computed below the first layer that is asked about.
"""

from collections.abc import Collection

import torch
from torch import Tensor

from attnscope.errors import ModelError
from attnscope.models.architecture import errors_named
from attnscope.models.intervention.knock_out import NOTHING, knocked_out
from attnscope.models.intervention.passes import Passes
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.quantisation import check_passes_gradients
from attnscope.models.targets.head_split import split_at_head
from attnscope.models.targets.lm_head import entries_and_gradients
from attnscope.models.targets.readout import batch_inputs, entries_in, reads_separate_head, whole_model_entries


def gradients_at_heads(passes: Passes, layers: Collection[int]) -> dict[int, Tensor]:
    """By layer, the gradient of the readout's one value at its heads' outputs: (query, head, hidden), float32.

    The outputs themselves are in `passes.pools` afterwards. Memory is that of a plain backward pass: a layer's hidden
    states, never its matrix. Raises ModelError where no gradient passes.
    """
    net, readout = passes.net, passes.readout
    separate = reads_separate_head(net, [readout])
    zeros: dict[int, Tensor] = {}

    def add_zero(layer: int, given: Tensor) -> Tensor:
        if len(given) != 1:
            raise ModelError(
                f"{type(net).__name__} attends to a text in {len(given)} pieces, so there is no output of a head for "
                "each token: take away heads one by one (knock_out)"
            )
        passes.pools[layer] = given[0].detach().clone()
        zeros[layer] = torch.zeros_like(given, requires_grad=True)
        return given + zeros[layer]

    inputs = batch_inputs(net, [readout])
    entries = entries_in([readout], inputs["input_ids"].device)
    with unchanged(net):
        check_passes_gradients(net)
        with knocked_out(passes.site, [NOTHING], see_heads=add_zero, seen=tuple(layers)) as extra, errors_named(net):
            given = {**inputs, **extra}
            if separate:
                with split_at_head(net, given) as (hidden, head):
                    chosen = hidden.detach()[0, entries.positions]  # (entry, hidden)
                    numbers, vectors = entries_and_gradients(net, chosen, head, entries.ids, readout.quantity)
                    numbers.requires_grad_()
                    (value,) = readout.value(numbers)
                    shares = torch.autograd.grad(value, numbers)[0][:, None].to(vectors)
                    at_hidden = torch.zeros_like(hidden)
                    at_hidden[0].index_add_(0, entries.positions, (shares * vectors).to(at_hidden))
                    found = _back(hidden, zeros, at_hidden)
            else:
                (value,) = readout.value(whole_model_entries(net, [readout], given, entries))
                found = _back(value, zeros, None)
    return {layer: gradient[0].detach().float() for layer, gradient in found.items()}


def _back(output: Tensor, zeros: dict[int, Tensor], at_output: Tensor | None) -> dict[int, Tensor]:
    """The gradients; none where the target does not depend on a layer's heads."""
    found = torch.autograd.grad(output, list(zeros.values()), at_output, allow_unused=True)
    return {
        layer: torch.zeros_like(zero) if gradient is None else gradient
        for (layer, zero), gradient in zip(zeros.items(), found, strict=True)
    }
