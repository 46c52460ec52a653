"""The pieces that get a score: which there are, what is inside one of them, and the laws of summing and sharing."""

from typing import Any

import pytest
from comparisons import close

import attnscope as ats
from attnscope.errors import InputError

SENTENCES = "a b . c d e . f"


@pytest.mark.parametrize("within", ["middle", (6, 13)])
@pytest.mark.parametrize("unit", ["word", "token"])
def test_a_segment_is_drilled_into(llama: ats.Model, within: Any, unit: str) -> None:
    asked = {"method": "gradient_x_input", "target": " g"}
    segments = {"front": (0, 5), "middle": (6, 13)}
    whole = ats.explain(llama, SENTENCES, segments=segments, **asked)
    inside = ats.explain(llama, SENTENCES, segments=segments, within=within, unit=unit, **asked)
    assert [w.text for w in inside.words] == ["c", "d", "e", "."]
    assert inside.scores.sum() == pytest.approx(whole.scores[1])
    assert inside.asked.within == (6, 13)


def test_a_sentence_of_a_result_is_drilled_into(llama: ats.Model) -> None:
    """Only the units inside are taken away; together they carry what the sentence carries."""
    sentences = ats.explain(llama, SENTENCES, method="shapley", target=" g", unit="sentence", replacement="mean")
    inside = ats.explain(llama, SENTENCES, method="shapley", target=" g", within=sentences.words[1], replacement="mean")
    alone = ats.explain(llama, SENTENCES, method="occlusion", target=" g", unit="sentence", replacement="mean")
    assert [w.text for w in inside.words] == ["c", "d", "e", "."]
    assert inside.scores.sum() == pytest.approx(alone.scores[1], rel=1e-3, abs=1e-5)
    words = ats.explain(llama, SENTENCES, method="deletion", target=" g")
    inside = ats.explain(llama, SENTENCES, method="deletion", target=" g", within=sentences.words[1])
    assert close(inside.scores, words.scores[3:7])


@pytest.mark.parametrize(
    ("within", "says"),
    [
        ("paragraph 9", "the text's segments are 'paragraph 1'"),
        ((3, 99), "the segment 'within'"),
        ((1, 2), "no unit begins"),
        (ats.Word("x", 0, 1, 0.0), "of another text"),
    ],
)
def test_what_cannot_be_drilled_into_says_so(llama: ats.Model, within: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        ats.explain(llama, SENTENCES, target=" g", within=within)
