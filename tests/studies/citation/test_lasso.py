"""LASSO against the definition of its minimum, and against scikit-learn's."""

import numpy as np
from sklearn.linear_model import Lasso

from attnscope.studies.citation.lasso import lasso

GENERATOR = np.random.default_rng(0)
X = (GENERATOR.random((40, 6)) < 0.5).astype(float)
Y = np.stack([X @ [2.0, 0, 0, -1, 0, 0.05] + 0.1 * GENERATOR.normal(size=40), GENERATOR.normal(size=40)])


def test_no_small_step_makes_it_smaller() -> None:
    scale = X.std(0)
    standard = (X - X.mean(0)) / scale

    def loss(slopes: np.ndarray, y: np.ndarray) -> float:
        left = y - y.mean() - standard @ slopes
        return float((left**2).mean() / 2 + 0.1 * np.abs(slopes).sum())

    for slopes, y in zip(lasso(X, Y, 0.1) * scale, Y, strict=True):
        least = loss(slopes, y)
        for step in np.vstack([np.eye(6), -np.eye(6)]) * 1e-3:
            assert loss(slopes + step, y) > least
    assert lasso(X, Y, 0.1)[0, 1] == 0.0


def test_it_is_scikit_learns() -> None:
    scaled = (X - X.mean(0)) / X.std(0)
    for slopes, y in zip(lasso(X, Y, 0.02), Y, strict=True):
        theirs = Lasso(alpha=0.02, tol=1e-10).fit(scaled, y).coef_ / X.std(0)
        np.testing.assert_allclose(slopes, theirs, atol=1e-5)


def test_weights_are_repetitions_and_a_constant_feature_has_no_slope() -> None:
    times = np.array([[2.0, 1.0, 0.0, *[1.0] * 37]])
    repeated = np.vstack([X[:2], X[:1], X[3:]])
    again = np.concatenate([Y[0, :2], Y[0, :1], Y[0, 3:]])
    np.testing.assert_allclose(lasso(X, Y[:1], 0.02, times), lasso(repeated, again[None], 0.02), atol=1e-6)
    assert lasso(np.ones((5, 2)), np.arange(5.0)[None], 0.01).tolist() == [[0, 0]]
