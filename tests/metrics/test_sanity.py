"""The metrics of sanity, by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from attnscope.metrics.query import Explanation, ScoresOn
from attnscope.studies.metric_rounds import measure
from attnscope.studies.perturbed_text import PerturbedText

Value = Callable[[str, Explanation], float]

PERFECT = np.eye(6)[2]


def test_completeness_error(value: Value) -> None:
    change = np.log((np.exp(8) + 31) / 1 * np.exp(8) / (np.exp(8) + 31))
    assert value("completeness_error", Explanation(PERFECT * change, True)) == pytest.approx(0, abs=1e-5)
    assert value("completeness_error", Explanation(-PERFECT * change, True)) == pytest.approx(2, abs=1e-5)
    assert np.isnan(value("completeness_error", Explanation(PERFECT, False)))


def test_sensitivity_and_randomisation(planted_text: PerturbedText) -> None:
    explanation = Explanation(np.array([3.0, 4.0, 0, 0, 0, 0]), True)
    moved = {0: explanation.scores, 1: explanation.scores + np.eye(6)[0], 2: explanation.scores * 1.1}

    def rescore(query: ScoresOn) -> np.ndarray:
        return moved[query.seed] if query.model == "nearby" else np.array([0.0, 1, 2, 3, 4, 5])

    metrics = ["sensitivity", "randomisation"]
    found = measure({"x": explanation}, metrics, planted_text, {"x": rescore})
    assert found["x", "sensitivity"] == pytest.approx(1 / 5)
    # Spearman by hand: ranks 5 6 2.5 2.5 2.5 2.5 against 1 2 3 4 5 6.
    ranks = np.array([5, 6, 2.5, 2.5, 2.5, 2.5])
    assert found["x", "randomisation"] == pytest.approx(abs(np.corrcoef(ranks, np.arange(6))[0, 1]))
    same = measure({"x": explanation}, metrics, planted_text, {"x": lambda _query: explanation.scores})
    assert (same["x", "sensitivity"], same["x", "randomisation"]) == (0.0, pytest.approx(1.0))
    constant = measure({"x": explanation}, metrics, planted_text, {"x": lambda _query: np.ones(6)})
    assert np.isnan(constant["x", "randomisation"]), "constant scores have no ranks"


def test_sensitivity_of_scores_that_are_all_zero_is_not_defined(planted_text: PerturbedText) -> None:
    nothing = Explanation(np.zeros(6), True)
    found = measure({"x": nothing}, ["sensitivity"], planted_text, {"x": lambda _query: np.zeros(6)})
    assert np.isnan(found["x", "sensitivity"])
