"""Attention reduced over its heads equals the reduction of the whole matrices."""

import pytest
import torch
from tiny_models import tiny

from attnscope.models.attention.capture import capture
from attnscope.models.attention.head_reduction import REDUCTIONS, HeadReduction
from attnscope.models.attention.interface import AttentionCall
from reference.textbook import eager_attention

IDS = {"input_ids": torch.arange(3, 15)[None]}


@pytest.mark.parametrize("over", REDUCTIONS)
@pytest.mark.parametrize("family", ["llama", "bert", "bloom"])
def test_equals_the_reduced_matrix(family: str, over: str) -> None:
    net = tiny(family)
    reduced: list[HeadReduction] = []

    def see(_layer: int, call: AttentionCall) -> None:
        reduced.append(HeadReduction(call, over))

    capture(net, IDS, [1], see)
    expected = getattr(eager_attention(net, IDS)[1], {"mean": "mean", "max": "amax", "min": "amin"}[over])(1)
    torch.testing.assert_close(reduced[0].full(), expected, atol=1e-5, rtol=0)
    (block,) = reduced[0].blocks(torch.tensor([4]))
    torch.testing.assert_close(block.weights[0, 0], expected[0, 4, : block.weights.shape[-1]], atol=1e-5, rtol=0)
    assert expected[0, 4, block.weights.shape[-1] :].sum() == 0, "what a block leaves out weighs nothing"
