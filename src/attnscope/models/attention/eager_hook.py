"""Intercepting eager attention's softmax, and the product of its weights with the values, where a module calls them.

For models outside transformers' attention interface: what they pass to nobody is seen on its way through torch.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from attnscope.models.attention.interface import EagerCall, show

# (scores, dim) -> weights
Softmax = Callable[[Tensor, int], Tensor]
# (weights, values) -> product
Multiply = Callable[[Tensor, Tensor], Tensor]
# (weights (batch, head, query, key), values, the module's own multiplication) -> product
Product = Callable[[Tensor, Tensor, Multiply], Tensor]


class SoftmaxInterceptor(TorchFunctionMode):
    """Inside, a softmax goes through `softmax` and the product of its weights with the values through `product`.

    Both are counted. Weights are followed from the softmax through what leaves them as they are (dropout, views, a
    cast), and through a mask that is laid on them. Values come as the module has them: (batch, key head, key, hidden),
    or batch and head as one; so does the product.
    """

    _PRODUCTS = ("matmul", "bmm", "__matmul__", "einsum")
    _IDENTITIES = ("dropout", "view", "reshape", "to", "type_as", "contiguous")
    _MASKS = ("masked_fill", "masked_fill_")

    def __init__(self, product: Product, softmax: Softmax | None = None) -> None:
        super().__init__()
        self.product, self.softmax = product, softmax
        self.softmaxes = self.products = 0
        self.weights: list[Tensor] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Called by torch for every function of it that the module calls."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "softmax":
            self.softmaxes += 1
            dim = kwargs.get("dim", args[1] if len(args) > 1 else -1)
            if self.softmax is None:
                weights = func(*args, **kwargs)
            else:
                weights = self.softmax(args[0], dim).to(kwargs.get("dtype") or args[0].dtype)
            self.weights = [weights]
            return weights
        if name in self._PRODUCTS:
            factors: Sequence[Any] = args[1:] if name == "einsum" else args
            factors = factors[0] if len(factors) == 1 and isinstance(factors[0], tuple | list) else factors
            if len(factors) == 2 and self._is_weights(factors[0]) and self.weights[0].dim() in (3, 4):
                self.products += 1
                return self._multiplied(func, args[0] if name == "einsum" else None, *factors)
        output = func(*args, **kwargs)
        if args and self._is_weights(args[0]):
            if name in self._IDENTITIES:
                self.weights.append(output)
            elif name in self._MASKS:
                self.weights = [output]
        return output

    def _is_weights(self, x: Any) -> bool:
        return any(x is tensor for tensor in self.weights)

    def _multiplied(self, func: Callable[..., Any], equation: str | None, weights: Tensor, values: Tensor) -> Any:
        if equation is not None:
            written = _Equation.of(equation)
            if written is None:
                return func(equation, weights, values)
            product = self.product(weights, written.values(values), torch.matmul)
            return written.product(product)
        by_head = weights.reshape(self.weights[0].shape)
        return self.product(by_head, values, lambda w, v: func(w.reshape(weights.shape), v))


@dataclass(frozen=True)
class _Equation:
    """An einsum of weights (batch, head, query, key) with values, whatever the order of the values' dimensions."""

    weights: str
    of_values: str
    of_product: str
    hidden: str

    @classmethod
    def of(cls, equation: str) -> "_Equation | None":
        """None where it is not the product of attention weights with values."""
        inputs, _, product = equation.replace(" ", "").partition("->")
        weights, _, values = inputs.partition(",")
        hidden = "".join(letter for letter in values if letter not in weights)
        expected = {*weights[:2], weights[-1:], hidden}
        if len(weights) != 4 or len(hidden) != 1 or {*values} != expected or {*product} != {*weights[:3], hidden}:
            return None
        return cls(weights, values, product, hidden)

    def values(self, values: Tensor) -> Tensor:
        """(batch, head, key, hidden)."""
        return torch.einsum(f"{self.of_values}->{self.weights[:2]}{self.weights[3]}{self.hidden}", values)

    def product(self, product: Tensor) -> Tensor:
        """In the order that the module asked for."""
        return torch.einsum(f"{self.weights[:3]}{self.hidden}->{self.of_product}", product)


def shown_forward(
    module: nn.Module,
    forward: Callable[..., Any],
    index: int | None,
    values: bool,
    *args: Any,
    heads: int = 1,
    **kwargs: Any,
) -> Any:
    """An eager attention module's own forward, with its call shown to the watcher.

    index:  where in the module's output its weights are; None where it returns none, or others.
    values: whether the product with the values can be intercepted; else the weights are shown after the fact.
    heads:  how many, for a module that has batch and head as one.
    """

    def product(weights: Tensor, value: Tensor, multiply: Multiply) -> Tensor:
        matrix = weights if weights.dim() == 4 else weights.reshape(-1, heads, *weights.shape[-2:])
        change = show(EagerCall(module, matrix, value.reshape(len(matrix), -1, *value.shape[-2:])))
        value = value if change.value is None else change.value.reshape(value.shape)
        product = multiply(matrix.reshape(weights.shape), value)
        if change.on_output is None:
            return product
        output = change.on_output(product.reshape(*matrix.shape[:3], -1).transpose(1, 2))
        return output.transpose(1, 2).reshape(product.shape)

    with SoftmaxInterceptor(product) if values else nullcontext():
        output = forward(*args, **kwargs)
    if index is None:
        return output
    matrix = output[index]
    if matrix is None:  # not asked to return it, as when a layer is run by itself
        return output
    if not values:
        show(EagerCall(module, matrix))
    # The matrix is freed before the next layer runs.
    return type(output)((*output[:index], matrix.new_empty(0), *output[index + 1 :]))
