"""Gradient SHAP: what it tends to, and what it adds up to."""

import numpy as np

import attnscope as ats

TEXT = "a b c d e f"


def test_gradient_shap_tends_to_integrated_gradients(llama: ats.Model) -> None:
    exact = ats.explain(llama, TEXT, method="integrated_gradients", target=" g", baseline="mean", steps=128)
    sampled = ats.explain(llama, TEXT, method="gradient_shap", target=" g", baselines="mean", samples=256)
    error = np.array(sampled.measured.standard_error)
    assert (np.abs(sampled.scores - exact.scores) < 4 * error + 1e-5).all()
