"""A model whose answer is known."""

import pytest
import torch
from planted import CopyBack, copy_tokenizer

import attnscope as ats


@pytest.fixture(scope="package")
def copying() -> ats.Model:
    """It says the word three places before the end: " c" in "a b c d e f"."""
    net = CopyBack.make(back=3)
    with torch.no_grad():
        net.lm_head.weight.mul_(8)
    return ats.Model(net, copy_tokenizer())
