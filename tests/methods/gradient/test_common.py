"""The norm of a gradient at each token: against sums by hand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnscope.methods.gradient.common import norms


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3), min_size=1, max_size=4))
def test_law_norms_are_over_the_hidden_axis(rows: list[list[float]]) -> None:
    vectors = torch.tensor(rows, dtype=torch.float64)[None]
    assert norms(vectors, 1)[0].tolist() == pytest.approx([sum(map(abs, row)) for row in rows])
    assert norms(vectors, 2)[0].tolist() == pytest.approx([sum(x * x for x in row) ** 0.5 for row in rows])
    assert (norms(vectors, 2) <= norms(vectors, 1) * (1 + 1e-12)).all()
