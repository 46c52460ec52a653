"""What rounding allows holds rounding, and nothing else."""

import pytest
import torch
from torch import nn

from attnscope.models.attention.interface import SDPACall
from attnscope.models.attention.rounding import exact_attention


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("size", [1, 4])
def test_attention_rounded_at_every_step_is_within_it_and_another_is_not(dtype: torch.dtype, size: float) -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, 2, 12, 16).to(dtype) for _ in range(3))
    query = query * size
    call = SDPACall(nn.Identity(), query, key, value, mask=None, scaling=0.25, softcap=None, sinks=None, causal=False)
    exact = exact_attention(call)
    scores = query @ key.transpose(-1, -2) * 0.25
    weights = scores.softmax(-1, dtype=torch.float32).to(dtype)
    assert exact.excess_of_weights(weights) <= 1
    assert exact.excess_of_output((weights @ value).transpose(1, 2)) <= 1
    other = (scores * 1.2).softmax(-1, dtype=torch.float32).to(dtype)
    assert exact.excess_of_weights(other) > 1
    assert exact.excess_of_output((weights @ value).transpose(1, 2) * 1.5) > 1
    assert exact.excess_of_weights(weights[..., :6]) == float("inf")
