"""The distance of value zeroing; test_flow.py holds its scores against a textbook version."""

import pytest
import torch

from attnscope.methods.attention.value_zeroing import cosine_distance


def test_the_cosine_distance() -> None:
    output = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]])
    without = torch.tensor([[[2.0, 0.0], [0.0, 3.0], [-1.0, -1.0]]])
    assert cosine_distance(without, output).tolist() == [[0.0, 1.0, pytest.approx(2.0)]]
