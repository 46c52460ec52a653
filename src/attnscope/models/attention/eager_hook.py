"""Meeting eager attention's softmax, and the product of its weights with the values, where a module calls them.

For models outside transformers' attention interface: what they hand to nobody is seen as it passes torch.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

# (scores, dim) -> weights; (weights (batch, head, query, key), values, the product of two) -> product
Softmax = Callable[[Tensor, int], Tensor]
Product = Callable[[Tensor, Tensor, Callable[[Tensor, Tensor], Tensor]], Tensor]


class Meeting(TorchFunctionMode):
    """Inside, a softmax and what its weights are multiplied with go by `softmax` and `product`, and are counted.

    Weights are followed from the softmax through what does not change them (dropout, views, a cast). Values come as
    the module has them: (batch, key head, key, hidden), or batch and head as one; so does the product.
    """

    _PRODUCTS = ("matmul", "bmm", "__matmul__")
    _THE_SAME = ("dropout", "view", "reshape", "to", "type_as", "contiguous")

    def __init__(self, product: Product, softmax: Softmax | None = None) -> None:
        super().__init__()
        self.product, self.softmax = product, softmax
        self.softmaxes = self.products = 0
        self.weights: list[Tensor] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Every function of torch that the module calls comes by here."""
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
        known = bool(args) and any(args[0] is tensor for tensor in self.weights)
        if known and name in self._PRODUCTS and self.weights[0].dim() == 4:
            self.products += 1
            weights, values = args
            return self.product(
                weights.reshape(self.weights[0].shape), values, lambda w, v: func(w.view_as(weights), v)
            )
        output = func(*args, **kwargs)
        if known and name in self._THE_SAME:
            self.weights.append(output)
        return output
