"""The softmax and the product with the values, intercepted where a module calls them."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from attnscope.models.attention.eager_hook import Multiply, SoftmaxInterceptor, shown_forward
from attnscope.models.attention.interface import AttentionCall, CallChange, watched_by

SCORES, VALUES = torch.randn(1, 2, 3, 3), torch.randn(1, 2, 3, 4)


def through(_weights: Tensor, values: Tensor, multiply: Multiply) -> Tensor:
    return multiply(_weights, values * 2)


@pytest.mark.parametrize(
    "attend",
    [
        lambda s, v: s.softmax(-1) @ v,
        lambda s, v: torch.matmul(functional.softmax(s, dim=-1), v),
        lambda s, v: torch.bmm(functional.dropout(s.softmax(-1), 0.0).view(2, 3, 3), v.view(2, 3, 4)).view(1, 2, 3, 4),
        lambda s, v: functional.softmax(s, -1, dtype=torch.float64).to(s.dtype) @ v,
    ],
)
def test_the_product_is_intercepted_however_it_is_written(attend: Any) -> None:
    expected = attend(SCORES, VALUES)
    with SoftmaxInterceptor(through) as seen:
        product = attend(SCORES, VALUES)
    assert (seen.softmaxes, seen.products) == (1, 1)
    torch.testing.assert_close(product, expected * 2)


def test_another_product_is_left_alone() -> None:
    with SoftmaxInterceptor(through) as seen:
        product = (SCORES.softmax(-1) * 1.0) @ VALUES  # scaled: these are no longer the weights
    assert seen.products == 0
    torch.testing.assert_close(product, SCORES.softmax(-1) @ VALUES)


def test_another_softmax() -> None:
    with SoftmaxInterceptor(lambda w, v, multiply: multiply(w, v), lambda scores, dim: (scores * 0).softmax(dim)):
        product = SCORES.softmax(-1) @ VALUES
    torch.testing.assert_close(product, VALUES.mean(2, keepdim=True).expand_as(product))


class Attention(nn.Module):
    def forward(self, scores: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        weights = scores.softmax(-1)
        return weights @ values, weights


@pytest.mark.parametrize("values", [True, False])
def test_a_module_is_shown_with_or_without_its_values(values: bool) -> None:
    module, calls = Attention(), []

    def see(call: AttentionCall) -> CallChange | None:
        calls.append(call)
        return CallChange(value=call.value * 0, on_output=lambda output: output + 1) if values else None

    with watched_by(see):
        output, matrix = shown_forward(module, module.forward, 1, values, SCORES, VALUES)
    (call,) = calls
    torch.testing.assert_close(call.weights(torch.arange(3)), SCORES.softmax(-1))
    torch.testing.assert_close(output, torch.ones(1, 2, 3, 4) if values else SCORES.softmax(-1) @ VALUES)
    assert matrix.numel() == 0, "the matrix is freed before the next layer runs"
    assert hasattr(call, "value") == values
