"""Scores made elsewhere: shared out over characters, evaluated like any method, and what is refused."""

import numpy as np
import pytest
from planted import CopyBack, copy_tokenizer

import attnscope as ats
from attnscope.errors import InputError
from attnscope.methods.given import given_scores

TEXTS = ["a b c d e f", "h i j k l m"]


@pytest.fixture(scope="module")
def copying() -> ats.Model:
    return ats.Model(CopyBack.make(back=1), copy_tokenizer())


def test_scores_of_other_words_keep_their_sum(copying: ats.Model) -> None:
    mine = ats.Attribution.of("a b c d", [(0, 3), (4, 7)], [3.0, -1.0], method="eyes", signed=True)
    result = ats.explain(copying, "a b c d", method=given_scores([mine]))
    assert result.method == "eyes"
    assert result.family == "own"
    assert result.signed
    assert result.scores == pytest.approx([1.0, 1.0, -1 / 3, -1 / 3])


def test_own_scores_are_evaluated_beside_methods(copying: ats.Model) -> None:
    eyes = [ats.Attribution.of(text, text.split(), np.arange(6.0), method="eyes") for text in TEXTS]
    found = ats.evaluate(copying, TEXTS, ["deletion", eyes], ["deletion_area"], target=" c", replacement="pad")
    assert set(found.methods) == {"deletion", "eyes", "random"}
    assert [row.scores for row in found.rows if row.method == "eyes"] == [(0.0, 1.0, 2.0, 3.0, 4.0, 5.0)] * 2


def test_what_is_refused(copying: ats.Model) -> None:
    eyes, hands = (ats.Attribution.of(TEXTS[0], ["a"], [1.0], method=name) for name in ("eyes", "hands"))
    with pytest.raises(InputError, match="an empty list"):
        given_scores([])
    with pytest.raises(InputError, match="the methods eyes, hands"):
        given_scores([eyes, hands])
    with pytest.raises(InputError, match="no scores of the text 'h i j"):
        ats.explain(copying, TEXTS[1], method=given_scores([eyes]))
