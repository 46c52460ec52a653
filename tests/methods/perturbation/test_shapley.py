"""Shapley values: against every order."""

import numpy as np
import pytest
from comparisons import ids, mean_vector

import attnscope as ats
from reference import importance as textbook

TEXT = "a b c d e f"


def test_shapley_against_every_order(llama: ats.Model) -> None:
    text, vector = "a b c d", mean_vector(llama)
    exact = textbook.shapley(llama.model, ids(llama, text), ids(llama, "g"), vector)
    result = ats.explain(llama, text, method="shapley", target=" g", pairs=200, replacement="mean")
    error = np.array(result.measured.standard_error)
    assert (np.abs(result.scores - exact) < 4 * error + 1e-5).all()
    nothing = textbook.covered(llama.model, ids(llama, text), ids(llama, "g"), [0, 1, 2, 3], vector)
    assert result.scores.sum() == pytest.approx(result.measured.value - nothing, rel=1e-4)
