"""The backward pass of gradient interaction modifications (GIM, Edin et al. 2025, arXiv:2505.17630).

The forward pass stays as it is. On the way back:
- norms scale by the statistics they had, as if these were constants;
- attention's softmax answers as one at twice the temperature, so that a sharp one still lets a gradient through;
- where a product of two things that depend on the text is taken, its gradient is shared: queries and keys get a
  quarter, values a half.

Problems solved here:
- models that take attention through transformers' interface get a function of ours, which keeps queries, keys and
  values and forms the weights anew on the way back, a block at a time; the others run eager, and their softmax and the
  product with the values are met where they are called;
- which formula a norm has is not taken from its name: each is compared with the module's own output as it runs, and
  one that is neither a LayerNorm nor an RMSNorm is refused by name.

What it does not see: norms that are no modules of their own. Attention without a softmax is refused by `layout`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import is_encoder_decoder
from attnscope.models.attention.capture import attending, layout, use
from attnscope.models.attention.eager_hook import Meeting
from attnscope.models.attention.interface import Call, Fast, blockwise_output
from attnscope.models.hooks import forward_replaced
from attnscope.models.leave_unchanged import unchanged

# The paper's constants; queries and keys have the same.
TEMPERATURE = 2.0
QUERY_SHARE = KEY_SHARE = 0.25
VALUE_SHARE = 0.5


@contextmanager
def interactions_modified(net: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Iterator[None]:
    """Inside, gradients of the model are GIM's; values are its own. inputs: of a pass, to learn its attention from.

    Raises ModelError, naming the class, for a model without attention or whose attention or norms are not known.
    """
    found = layout(net, inputs, "decoder" if is_encoder_decoder(net) else None)
    with unchanged(net), ExitStack() as stack:
        for module in net.modules():
            if type(module).__name__.endswith("Norm") and not list(module.children()):
                stack.enter_context(forward_replaced(module, partial(_frozen, module, module.forward)))
        if found.hooked:
            use(net, "eager")
            for module in dict(found.hooked):
                stack.enter_context(forward_replaced(module, partial(_eager, module, module.forward)))
        else:
            stack.enter_context(attending(net, found, _modify))
        yield


def _frozen(module: nn.Module, forward: Callable[..., Tensor], x: Tensor, *more: Any, **named: Any) -> Tensor:
    """A norm's own output, with the gradient of scaling by constants."""
    with torch.no_grad():
        output = forward(x, *more, **named)
    if more or named or not isinstance(output, Tensor) or output.shape != x.shape:
        raise ModelError(f"gim: {type(module).__name__} is no norm of one tensor, so its statistics cannot be frozen")
    for linear in _formulas(module, x):
        if (linear.detach() - output).abs().max() <= _tolerance(x.dtype) * (1 + output.abs().max()):
            # The module's own number, to the last bit, and the formula's gradient.
            return output + (linear - linear.detach()).to(output)
    raise ModelError(
        f"gim: {type(module).__name__} is neither a LayerNorm nor an RMSNorm, so its statistics cannot be frozen; use "
        "gradient_x_input or integrated_gradients"
    )


def _formulas(module: nn.Module, x: Tensor) -> Iterator[Tensor]:
    """What the norm may be: LayerNorm or RMSNorm, its gain as it is or counted from 1, statistics as constants."""
    eps = next((float(getattr(module, n)) for n in ("eps", "variance_epsilon", "epsilon") if hasattr(module, n)), 0.0)
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    x = x.float()
    gains = [torch.ones(1, device=x.device)] if weight is None else [weight.float(), 1 + weight.float()]
    for centred in (x - x.mean(-1, keepdim=True), x):
        scaled = centred * (centred.detach().square().mean(-1, keepdim=True) + eps).rsqrt()
        for gain in gains:
            yield scaled * gain if bias is None else scaled * gain + bias.float()


def _tolerance(dtype: torch.dtype) -> float:
    return 1e-4 if dtype in (torch.float32, torch.float64) else 2e-2


def _modify(call: Call) -> None:
    assert isinstance(call, Fast)
    call.output = _Attention.apply(call.query, call.key, call.value, call)


class _Attention(torch.autograd.Function):
    """Attention forward as it is, backward as above: (batch, query, head, hidden)."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, call: Fast) -> Tensor:  # noqa: ARG004
        ctx.call = call.detached()
        return blockwise_output(ctx.call)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        call: Fast = ctx.call
        to_output = outer[0].transpose(1, 2).float()  # (batch, head, query, hidden)
        to_query = []
        to_key = to_value = torch.zeros((), device=call.key.device)
        for block in call.blocks():
            seen = block.weights.shape[-1]
            key, value = call.key[:, :, :seen].float(), call.value[:, :, :seen].float()
            at_output = _by_key_head(to_output[:, :, block.queries], call)
            to_weights = (at_output @ value.transpose(-1, -2)).reshape((*block.weights.shape[:2], -1, seen))
            soft, slope = call.softened(block.queries, seen, TEMPERATURE)
            to_scores = soft * (to_weights - (soft * to_weights).sum(-1, keepdim=True)) * slope * call.scaling
            by_head = _by_key_head(to_scores, call)
            rows = _by_key_head(call.query[:, :, block.queries].float(), call)
            to_query.append((by_head @ key).reshape(*to_scores.shape[:-1], key.shape[-1]) * QUERY_SHARE)
            more = (0, 0, 0, call.keys - seen)
            to_key = to_key + functional.pad(by_head.transpose(-1, -2) @ rows, more) * KEY_SHARE
            weights = _by_key_head(block.weights, call)
            to_value = to_value + functional.pad(weights.transpose(-1, -2) @ at_output, more) * VALUE_SHARE
        dtype = call.query.dtype
        return torch.cat(to_query, 2).to(dtype), to_key.to(dtype), to_value.to(dtype), None


def _by_key_head(x: Tensor, call: Fast) -> Tensor:
    """(batch, head, query, …) -> (batch, key head, query of each of its heads, …)."""
    return x.reshape(x.shape[0], call.key.shape[1], -1, x.shape[-1])


def _eager(module: nn.Module, forward: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """An eager attention module's own forward, its softmax and its product with the values modified."""
    if "output_attentions" in named:  # some turn to fast attention unless they are to return weights
        named["output_attentions"] = True
    with Meeting(_share_values, _Softened.apply) as seen:
        output = forward(*args, **named)
    if (seen.softmaxes, seen.products) != (1, 1):
        raise ModelError(
            f"gim: {type(module).__name__} weighs its values in a way that gim does not know; use gradient_x_input or "
            "integrated_gradients"
        )
    return output


def _share_values(weights: Tensor, values: Tensor, product: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Queries and keys meet nowhere but in the scores: their shares, which are equal, are taken there."""
    return product(weights, _Shared.apply(values, VALUE_SHARE))


class _Softened(torch.autograd.Function):
    """Softmax in float32 forward; backward that of twice the temperature, less the share of queries and keys."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, dim: int) -> Tensor:
        ctx.save_for_backward(scores)
        ctx.dim = dim
        return scores.float().softmax(dim)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None]:
        (scores,) = ctx.saved_tensors
        soft = (scores.float() / TEMPERATURE).softmax(ctx.dim)
        found = soft * (outer[0] - (soft * outer[0]).sum(ctx.dim, keepdim=True))
        return (found * QUERY_SHARE).to(scores.dtype), None


class _Shared(torch.autograd.Function):
    """The same, with a share of the gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, share: float) -> Tensor:
        ctx.share = share
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None]:
        return outer[0] * ctx.share, None
