"""What rounding allows: attention as a model computed it, against the same queries and keys in float64.

Passes of a whole model drift apart in half precision, layer by layer, and by how much depends on the text. One call
does not: with the same queries and keys, its weights can be off by what rounding makes of its scores, and by no more.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from attnscope.models.attention.interface import SDPACall, blockwise_output

# How often a score is rounded on its way to the softmax, half a unit each: product, scale, soft cap, mask.
_ROUNDINGS = 4
# What single precision makes of a sum of products, as a share of the lengths of query and key; and of a weight.
_SUMMATION, _SMALLEST = 1e-6, 1e-5


@dataclass(frozen=True)
class ExactAttention:
    """A call's weights and output in float64, and how far rounding may take them.

    weights, weights_off: (batch, head, query, key). output, output_off: (batch, query, head, hidden).
    """

    weights: Tensor
    weights_off: Tensor
    output: Tensor
    output_off: Tensor

    def excess_of_weights(self, weights: Tensor) -> float:
        """The largest error of these weights, in units of what rounding allows: more than 1 is no rounding."""
        return _excess(weights, self.weights, self.weights_off)

    def excess_of_output(self, output: Tensor) -> float:
        """The same of an output."""
        return _excess(output, self.output, self.output_off)


def exact_attention(call: SDPACall) -> ExactAttention:
    """The call in float64. log w is off by no more than its score, and the sum of all that it is divided by."""
    unit = torch.finfo(call.query.dtype).eps
    double = call.in_double()
    every = torch.arange(call.queries)
    weights = double.weights(every).double()
    scores = double.scores(every, weights.shape[-1])
    group = call.heads // call.key.shape[1]
    key = double.key[:, :, : weights.shape[-1]].norm(dim=-1).repeat_interleave(group, 1)
    lengths = double.query.norm(dim=-1)[..., None] * key[..., None, :] * abs(call.scaling)
    off = _ROUNDINGS / 2 * unit * scores.abs() + _SUMMATION * lengths
    # No weight is off by more than 1; from scores that are off by far more than that, the exponential would overflow.
    off = torch.where(weights > 0, off, 0).clamp(max=100)
    total = torch.log((weights * off.exp()).sum(-1, keepdim=True) + (1 - weights.sum(-1, keepdim=True)).clamp(min=0))
    weights_off = (weights * torch.expm1(off + total)).clamp(max=1) + 2 * unit * weights + max(unit * unit, _SMALLEST)
    value = double.value[:, :, : weights.shape[-1]].repeat_interleave(call.heads // call.value.shape[1], 1)
    output_off = (weights_off @ value.abs()).transpose(1, 2)
    output = blockwise_output(double, double.value)
    return ExactAttention(weights, weights_off, output, output_off + 2 * unit * output.abs() + _SMALLEST)


def _excess(given: Tensor, exact: Tensor, off: Tensor) -> float:
    if given.shape[-1] > exact.shape[-1]:  # keys that no query sees
        exact, off = (torch.nn.functional.pad(x, (0, given.shape[-1] - x.shape[-1])) for x in (exact, off))
        off = off.clamp(min=_SMALLEST)
    if given.shape != exact.shape:
        return float("inf")
    return ((given.double() - exact).abs() / off).max().nan_to_num(float("inf")).item()
