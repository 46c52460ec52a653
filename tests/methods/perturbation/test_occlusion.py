"""Occlusion: against covering by hand, window by window."""

import numpy as np
import pytest
from comparisons import close, ids, mean_vector

import attnscope as ats
from reference import importance as textbook

TEXT = "a b c d e f"


@pytest.mark.parametrize("width", [1, 2])
def test_occlusion_is_the_textbook(llama: ats.Model, width: int) -> None:
    prompt, target, vector = ids(llama, TEXT), ids(llama, "g"), mean_vector(llama)
    whole = textbook.covered(llama.model, prompt, target, [], vector)
    falls: list[list[float]] = [[] for _ in prompt]
    for start in range(len(prompt) - width + 1):
        inside = list(range(start, start + width))
        fall = whole - textbook.covered(llama.model, prompt, target, inside, vector)
        for i in inside:
            falls[i].append(fall)
    result = ats.explain(llama, TEXT, method="occlusion", target=" g", width=width, replacement="mean")
    assert close(result.scores, np.array([np.mean(fall) for fall in falls]))
