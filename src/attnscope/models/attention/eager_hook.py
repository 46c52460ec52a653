"""Intercepting eager attention's softmax, and the product of its weights with the values, where a module calls them.

For models outside transformers' attention interface: what they pass to nobody is seen on its way through torch.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

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
    cast). Values come as the module has them: (batch, key head, key, hidden), or batch and head as one; so does the
    product.
    """

    _PRODUCTS = ("matmul", "bmm", "__matmul__")
    _IDENTITIES = ("dropout", "view", "reshape", "to", "type_as", "contiguous")

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
        of_weights = bool(args) and any(args[0] is tensor for tensor in self.weights)
        if of_weights and name in self._PRODUCTS and self.weights[0].dim() == 4:
            self.products += 1
            weights, values = args
            by_head = weights.reshape(self.weights[0].shape)
            return self.product(by_head, values, lambda w, v: func(w.view_as(weights), v))
        output = func(*args, **kwargs)
        if of_weights and name in self._IDENTITIES:
            self.weights.append(output)
        return output


def shown_forward(
    module: nn.Module, forward: Callable[..., tuple[Any, ...]], index: int, values: bool, *args: Any, **kwargs: Any
) -> tuple[Any, ...]:
    """An eager attention module's own forward, with its call shown to the watcher.

    index:  where in the module's output its weights are.
    values: whether the product with the values can be intercepted; else the weights are shown after the fact.
    """

    def product(weights: Tensor, value: Tensor, multiply: Multiply) -> Tensor:
        change = show(EagerCall(module, weights, value.reshape(len(weights), -1, *value.shape[-2:])))
        value = value if change.value is None else change.value.reshape(value.shape)
        product = multiply(weights, value)
        if change.on_output is None:
            return product
        output = change.on_output(product.reshape(*weights.shape[:3], -1).transpose(1, 2))
        return output.transpose(1, 2).reshape(product.shape)

    with SoftmaxInterceptor(product) if values else nullcontext():
        output = forward(*args, **kwargs)
    matrix = output[index]
    if matrix is None:  # not asked to return it, as when a layer is run by itself
        return output
    if not values:
        show(EagerCall(module, matrix))
    # The matrix is freed before the next layer runs.
    return (*output[:index], matrix.new_empty(0), *output[index + 1 :])
