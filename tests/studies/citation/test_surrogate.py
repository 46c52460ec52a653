"""The surrogate: logits, masks until intervals are narrow, the same masks again."""

from typing import Any

import numpy as np
import pytest

import attnscope as ats
from attnscope.studies.citation.surrogate import fitted, logit

PASSAGES = ["a b c d", "e f g", "h i j k l"]


def test_logits_are_finite_for_certain_and_impossible_texts() -> None:
    given = np.array([np.log(0.25), -1e-12, 0.0, -800.0])
    found = logit(given)
    assert found[0] == pytest.approx(np.log(0.25 / 0.75))
    assert np.isfinite(found).all()
    assert found[3] == pytest.approx(-800)


def test_a_linear_truth_is_found_within_its_intervals() -> None:
    generator = np.random.default_rng(1)
    kept = (generator.random((128, 5)) < 0.5).astype(float)
    truth = np.array([[6.0, 0, -3, 0, 0]])
    logits = truth @ kept.T + 0.2 * generator.normal(size=(1, 128))
    scores, low, high = fitted(kept, logits, np.array([4.0]), 0)
    np.testing.assert_allclose(scores, truth, atol=0.25)
    assert ((low <= scores) & (scores <= high)).all()
    assert (high - low).max() < 0.5


def test_masks_go_on_until_intervals_are_narrow(llama: ats.Model) -> None:
    asked: dict[str, Any] = {"method": "surrogate", "exact": 0}
    fixed = ats.cite(llama, "x", PASSAGES, "m n", masks=16, **asked)
    assert fixed.narrow is None
    assert fixed.options["masks"] == 16
    wide = ats.cite(llama, "x", PASSAGES, "m n", tolerance=100.0, **asked)
    assert (wide.options["masks"], wide.narrow) == (32, True)
    assert wide.low is not None
    assert wide.high is not None
    half = float((wide.high - wide.low).max() / 2)
    more = ats.cite(llama, "x", PASSAGES, "m n", tolerance=half * 0.9, **asked)
    assert more.options["masks"] > 32
    assert np.isnan(more.effects).all()


def test_a_seed_gives_the_same_again(llama: ats.Model) -> None:
    one, other, third = (
        ats.cite(llama, "x", PASSAGES, "m", method="surrogate", masks=16, seed=seed) for seed in (3, 3, 4)
    )
    assert one.to_json() == other.to_json()
    assert one.scores.tolist() != third.scores.tolist()
    assert not np.isnan(one.effects).any(), "three sources, and the true effects of three"
