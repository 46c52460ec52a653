"""LIME: its weighted regression."""

import numpy as np
import pytest

from attnscope.methods.perturbation.lime import kernel, surrogate

TEXT = "a b c d e f"


def test_lime_finds_a_linear_model() -> None:
    generator = np.random.default_rng(0)
    there = generator.integers(0, 2, (60, 5)).astype(float)
    slopes = np.array([1.0, -2.0, 0.0, 0.5, 3.0])
    weights = generator.random(60) + 0.1
    found, explained = surrogate(there, (there @ slopes + 4)[:, None], weights, 1e-9)
    assert found[:, 0] == pytest.approx(slopes, abs=1e-6)
    assert explained[0] == pytest.approx(1)
    noisy = (there @ slopes + generator.normal(size=60))[:, None]
    found, _ = surrogate(there, noisy, weights, 1e-9)
    design = np.column_stack([there, np.ones(60)]) * np.sqrt(weights)[:, None]
    expected = np.linalg.lstsq(design, noisy * np.sqrt(weights)[:, None], rcond=None)[0]
    assert found == pytest.approx(expected[:5], abs=1e-6)


def test_the_kernel_is_that_of_the_authors_package() -> None:
    """√exp(−(100 d)² / 25²), with d the cosine distance from the whole text."""
    present = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [0, 1, 1, 0]], dtype=bool)
    cosines = present.sum(1) / (np.sqrt(present.sum(1)) * 2)
    expected = np.sqrt(np.exp(-((100 * (1 - cosines)) ** 2) / 25**2))
    assert kernel(present, 0.25) == pytest.approx(expected)
