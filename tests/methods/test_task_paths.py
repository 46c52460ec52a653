"""With `within` or `segments` the chosen units alone move: on the way from a baseline, and by noise."""

from typing import Any

import numpy as np
import pytest
import torch
from planted import copy_tokenizer
from tiny_models import tiny

import attnscope as ats
from reference import importance as textbook

TEXT = "a b c d e f"
# " c d" as a part of the text; and two segments that leave "a b" and "f" out.
CHOSEN: dict[str, dict[str, Any]] = {"within": {"within": (4, 8)}, "segments": {"segments": {"x": (4, 6), "y": (6, 9)}}}


@pytest.fixture(scope="module")
def llama() -> ats.Model:
    return ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())


def ids(model: ats.Model, text: str) -> list[int]:
    return list(model.tokenizer(text)["input_ids"])


@pytest.mark.parametrize("chosen", CHOSEN)
@pytest.mark.parametrize("method", ["integrated_gradients", "gradient_shap"])
def test_the_chosen_units_alone_go_to_the_baseline(llama: ats.Model, method: str, chosen: str) -> None:
    """Their scores add up to what the target changes when those units alone are the baseline's."""
    own = {"steps": 64} if method == "integrated_gradients" else {"baselines": "mean", "samples": 512}
    result = ats.explain(llama, TEXT, method=method, target=" g", **own, **CHOSEN[chosen])
    prompt, target = ids(llama, TEXT), ids(llama, "g")
    middle = llama.model.get_input_embeddings().weight.detach().mean(0)
    places = [2, 3] if chosen == "within" else [2, 3, 4]
    whole, moved = (textbook.covered(llama.model, prompt, target, at, middle) for at in ([], places))
    assert abs(whole - moved) > 0.1
    assert result.scores.sum() == pytest.approx(whole - moved, rel=0.02)
    assert result.measured.completeness_error == pytest.approx(abs(result.scores.sum() - whole + moved), abs=1e-5)
    assert not np.delete(result.token_scores, places).any()


def test_noise_is_on_the_chosen_units_alone(llama: ats.Model) -> None:
    prompt, target = ids(llama, TEXT), ids(llama, "g")
    here = llama.model.get_input_embeddings()(torch.tensor(prompt)).detach()
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(4, *here.shape, generator=generator, dtype=torch.float64) * 0.2 * (here.max() - here.min())
    noise[:, [0, 1, 4, 5]] = 0
    mean = sum(textbook.gradient(llama.model, prompt, target, here + c.float()) for c in noise) / 4
    result = ats.explain(llama, TEXT, method="smooth_grad", target=" g", noise=0.2, samples=4, seed=5, within=(4, 8))
    assert result.scores == pytest.approx(mean.norm(dim=-1).numpy()[2:4], rel=1e-4)
