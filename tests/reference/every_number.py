"""What attnscope says about a text, by every kind of method: two models that are one must say the same."""

from collections.abc import Collection, Mapping

import numpy as np

import attnscope as ats
from attnscope.models.architecture import task_of

METHODS = ("gradient", "gradient_x_input", "integrated_gradients", "gim", "deletion")
ROWS = ("value_norm", "value_zeroing", "rollout")
# To the bit; and by the vocabulary head as one product or as it is, which sum in another order.
SAME, LOOSE = 0.0, 1e-5


def numbers(model: ats.Model, only: Collection[str] | None = None, text: str = "a b c d e f") -> dict[str, np.ndarray]:
    """Name → scores: of attention, maps, gradients, deletion, and of what the model writes."""
    task = task_of(model.model)
    calls = {
        "attention": lambda: ats.attention(model, text, layer=1, head=1, query=-2).token_scores,
        "maps": lambda: ats.attention_maps(model, text).weights(1, 0),
        **{name: lambda name=name: ats.explain(model, text, method=name).token_scores for name in ROWS},
    }
    if task:
        calls |= {
            name: lambda name=name: (
                ats.explain(
                    model, text, method=name, **({"steps": 3} if name == "integrated_gradients" else {})
                ).token_scores
            )
            for name in METHODS
        }
    if task in ("causal", "encoder-decoder"):
        calls["generate"] = lambda: ats.explain(model, text, "gradient", generate=3).token_scores
    if task in ("causal", "masked"):
        calls["attention_gradient"] = lambda: ats.explain(model, text, method="attention_gradient").token_scores
    return {name: np.asarray(call(), float) for name, call in calls.items() if only is None or name in only}


def assert_same(given: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray], tolerance: float) -> None:
    """Equal within `tolerance` of the largest number of each kind."""
    assert given.keys() == expected.keys()
    for name, numbers_ in expected.items():
        off = np.abs(given[name] - numbers_).max() / np.abs(numbers_).max()
        assert off <= tolerance, f"{name} is off by {off:.2g}"


def assert_other(given: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> None:
    """Every kind of number differs: the two are two models."""
    for name, numbers_ in expected.items():
        assert np.abs(given[name] - numbers_).max() > 1e-4 * np.abs(numbers_).max(), name
