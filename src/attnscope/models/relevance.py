"""Relevance of one prediction, by attention times its gradient, while the gradient comes down the layers.

When the gradient g of the target arrives at the output of a layer's attention, the gradient at the weight of query i
and key j of a head is g_i · v_j. So ∇A ⊙ A is made a block of queries at a time from q, k, v and g, applied to the
relevance of the layer above, and dropped: no matrix is held, and of all layers one vector.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from attnscope.models.attention import Call, Eager, Fast
from attnscope.models.gradients import activations_bounded
from attnscope.models.load import Model
from attnscope.models.run import bar, embedding_leaf, split_at_head, unchanged
from attnscope.models.watch import attending, layer_by_layer, layout


@dataclass(frozen=True)
class Aim:
    """The prediction at one position: a token's log-probability or logit, held against another's or not.

    target: the token's id; None for the most likely.
    """

    position: int
    target: int | None
    against: int | None
    quantity: str


@dataclass
class _Descent:
    """The relevance (token,) on its way down. It starts at the position, and each layer adds its share."""

    row: Tensor

    def see(self, call: Call) -> None:
        """Wait for the gradient at this call."""
        if isinstance(call, Eager):
            matrix = call.matrix
            matrix.register_hook(lambda gradient: self._take_matrix(matrix.detach(), gradient))
            return
        assert isinstance(call, Fast)
        kept = call.detached()

        def wait(output: Tensor) -> None:
            output.register_hook(lambda gradient: self._take(kept, gradient))

        call.then = wait

    def _take(self, call: Fast, gradient: Tensor) -> None:
        """gradient: (1, query, head, hidden), at the output of the attention."""
        chosen = self.row.nonzero().flatten()
        added = torch.zeros_like(self.row)
        for block in call.blocks(chosen):
            seen = block.weights.shape[-1]
            some = gradient[:, block.queries].transpose(1, 2)  # (1, head, some, hidden)
            # Heads that share a value side by side.
            pairs = some.reshape(1, call.value.shape[1], -1, some.shape[-1]).to(call.value.dtype)
            at_weights = (pairs @ call.value[:, :, :seen].transpose(-1, -2)).view(block.weights.shape)
            positive = at_weights.float().mul_(block.weights).clamp_min_(0)
            added[:seen] += torch.einsum("hqk,q->k", positive[0], self.row[block.queries].to(positive)).cpu()
        self.row = self.row + added / call.heads

    def _take_matrix(self, matrix: Tensor, gradient: Tensor) -> None:
        chosen = self.row.nonzero().flatten()
        positive = (matrix[0, :, chosen] * gradient[0, :, chosen]).float().clamp_min(0)
        self.row = self.row + torch.einsum("hqk,q->k", positive, self.row[chosen].to(positive)).cpu() / len(matrix[0])


def relevance(model: Model, inputs: Mapping[str, Tensor], aim: Aim) -> tuple[Tensor, str]:
    """The relevance (token,) of each token to the prediction, less the predicting token's own; and what was explained.

    inputs: one text, (1, token).
    """
    net = model.model
    found = layout(net, inputs)
    descent = _Descent(torch.zeros(inputs["input_ids"].shape[1]))
    descent.row[aim.position] = 1
    layers = range(len(found.calls))
    with bar("layers, up and down", 2 * len(layers)) as done:

        def see(_layer: int, call: Call) -> None:
            descent.see(call)
            done(1)

        watcher = layer_by_layer(found, "self", layers, see, cut=False)
        with (
            unchanged(net),
            embedding_leaf(net) as leaves,
            activations_bounded(net, inputs),
            attending(net, found, watcher) as extra,
            split_at_head(net, {**inputs, **extra}) as (hidden, head),
        ):
            part = hidden[:, aim.position : aim.position + 1].detach().requires_grad_()
            value, said = _value(model, head(part)[0, 0], aim)
            (at_position,) = torch.autograd.grad(value, part)
            outer = torch.zeros_like(hidden)
            outer[:, aim.position] = at_position[:, 0]
            torch.autograd.grad(hidden, leaves, outer)
    row = descent.row
    row[aim.position] -= 1
    return row, said


def _value(model: Model, logits: Tensor, aim: Aim) -> tuple[Tensor, str]:
    logits = logits.float()
    numbers = logits if aim.quantity == "logit" else logits.log_softmax(-1)
    target = int(logits.argmax()) if aim.target is None else aim.target
    said = f"{aim.quantity.replace('_', '-')} of {model.tokenizer.decode([target])!r}"
    if aim.against is None:
        return numbers[target], said
    return numbers[target] - numbers[aim.against], f"{said} minus that of {model.tokenizer.decode([aim.against])!r}"
