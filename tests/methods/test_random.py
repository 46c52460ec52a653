"""The yardstick: seeded, the same in any batch, of no model."""

import numpy as np
import pytest
from tiny_models import small

import attnscope as ats

TEXT = "a b c d e f"


def test_random_is_seeded_and_independent_of_the_batch(llama: ats.Model) -> None:
    alone = ats.explain(llama, TEXT, method="random", seed=3)
    assert alone == ats.explain(llama, ["b c", TEXT], method="random", seed=3)[1]
    assert (alone.scores != ats.explain(llama, TEXT, method="random", seed=4).scores).all()


def test_it_knows_neither_model_nor_target(llama: ats.Model) -> None:
    scores = ats.explain(llama, TEXT, method="random").scores
    assert (scores == ats.explain(small("gpt2"), TEXT, method="random").scores).all()
    asked = ats.explain(llama, TEXT, method="random", target=" g")
    assert (scores == asked.scores).all()
    assert asked.measured.value == pytest.approx(
        ats.explain(llama, TEXT, "gradient", target=" g").measured.value, rel=1e-5
    )


def test_scores_are_uniform_from_0_to_1(llama: ats.Model) -> None:
    drawn = np.concatenate([ats.explain(llama, TEXT, method="random", seed=seed).scores for seed in range(50)])
    assert ((drawn >= 0) & (drawn < 1)).all()
    assert np.abs(np.histogram(drawn, 4, (0, 1))[0] / len(drawn) - 0.25).max() < 0.08
    assert len(np.unique(drawn)) == len(drawn)


def test_another_text_of_as_many_words_has_other_scores(llama: ats.Model) -> None:
    one, other = ats.explain(llama, [TEXT, TEXT[::-1]], method="random")
    assert (one.scores != other.scores).all()
    each = ats.explain(llama, TEXT, method="random", target=" g h", per_token=True)
    assert (each.scores[0] != each.scores[1]).all()
