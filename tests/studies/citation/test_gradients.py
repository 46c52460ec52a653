"""Scores by gradients: those of `explain`, summed over a source's tokens, statement by statement."""

from typing import Any

import numpy as np
import pytest
from tiny_models import small

import attnscope as ats
from attnscope.studies.citation.gradients import GRADIENTS

PASSAGES = ["a b c d", "e f g", "h i j k l"]
SPANS = [range(4), range(4, 7), range(7, 12)]
PROMPT = "a b c d\n\ne f g\n\nh i j k l\n\nQuestion: x\nAnswer:"


@pytest.mark.parametrize("method", GRADIENTS)
def test_scores_are_those_of_explain(llama: ats.Model, method: Any) -> None:
    found = ats.cite(llama, "x", PASSAGES, "m n\no", method=method, exact=0)
    assert [one.text for one in found.statements] == ["m n", "o"]
    assert found.passes == 2 + 2 * 2
    assert found.unit == GRADIENTS[method]
    for k, (prompt, said) in enumerate(((PROMPT, " m n"), (PROMPT + " m n", "\no"))):
        tokens = ats.explain(llama, prompt, method, target=said, quantity="log_probability").tokens
        by_hand = [sum(tokens[i].score for i in span) for span in SPANS]
        np.testing.assert_allclose(found.scores[k], by_hand, rtol=1e-4, atol=1e-6)


def test_the_passage_with_the_fact_has_the_largest_score(smollm2: ats.Model) -> None:
    passages = ["Mira Castel was born in Lunden.", "Aldo Brenn was born in Farrow.", "The river is wide."]
    for method in ("mask_gradient", "gim"):
        found = ats.cite(smollm2, "Where was Aldo Brenn born?", passages, "In Farrow.", method=method, exact=0)
        assert int(np.argmax(found.scores[0])) == 1, method
        assert found.cited(0)[0] == 1


def test_an_encoder_decoder_is_scored_in_its_encoder() -> None:
    found = ats.cite(small("bart"), "x", PASSAGES, "m n", method="gradient", exact=0)
    assert found.scores.shape == (1, 3)
    assert found.scores.min() > 0
