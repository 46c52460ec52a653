"""What every picture of a comparison says."""

from dataclasses import replace

import pytest
from drawn_results import comparison

from attnscope.render.colours import LIGHT
from attnscope.render.content.comparison import marks, moved_text, points, restored_text, scale_of, verdict_sign
from attnscope.results.comparison import Comparison, WordPair


def scored(pair: Comparison, left: list[float], right: list[float], models: tuple[str, str] = ("m", "m")) -> Comparison:
    sides = []
    for side, scores, model in zip((pair.left, pair.right), (left, right), models, strict=True):
        words = tuple(replace(word, score=score) for word, score in zip(side.result.words, scores, strict=True))
        sides.append(replace(side, result=replace(side.result, words=words, provenance={"model": model})))
    return replace(pair, left=sides[0], right=sides[1])


def test_one_model_has_one_scale_of_its_scores() -> None:
    scale = scale_of(scored(comparison(), [0.0, 1.0, 2.0], [1.0, 4.0, 2.0]))
    assert (scale.low, scale.high) == (0.0, 4.0)
    assert (scale.left[0], scale.right[1]) == (0, 63)
    assert (scale.left[1], scale.left[2]) == (scale.right[0], scale.right[2])
    assert scale.words == "gradient score per word, both texts on one scale"


def test_two_models_are_compared_by_their_shares() -> None:
    scale = scale_of(scored(comparison(), [1.0, 1.0, 2.0], [100.0, 100.0, 200.0], ("one", "other")))
    assert scale.left == scale.right
    assert (scale.low, scale.high) == (0.25, 0.5)
    assert scale.words.startswith("share of all scores")


def test_a_signed_scale_has_nothing_in_its_middle() -> None:
    pair = scored(comparison(), [-1.0, 0.0, 2.0], [0.0, -4.0, 1.0])
    signed = replace(
        pair, left=replace(pair.left, result=replace(pair.left.result, signed=True)),
        right=replace(pair.right, result=replace(pair.right.result, signed=True)),
    )  # fmt: skip
    scale = scale_of(signed)
    assert (scale.low, scale.high) == (-4.0, 4.0)
    assert scale.right[1] == 0
    assert scale.left[1] == scale.right[0] == LIGHT.step(0.5)


def test_right_and_wrong_have_a_sign_a_class_and_a_word() -> None:
    pair = comparison()
    assert verdict_sign(pair, pair.left) == ("✓", "right", "right")
    assert verdict_sign(pair, pair.right) == ("✗", "wrong", "wrong")
    assert verdict_sign(replace(pair, expected=None), pair.left) == ("·", "unknown", "")


@pytest.mark.parametrize(
    ("change", "gained", "says"),
    [(0.1234, 3, "+0.12 ▲3"), (-0.1234, -2, "-0.12 ▼2"), (0.5, 0, "+0.5"), (0.0, None, "0")],
)
def test_marks(change: float, gained: int | None, says: str) -> None:
    assert marks(WordPair(0, 0, "same", change, gained)) == says


def test_points_are_percentage_points() -> None:
    assert [points(share) for share in (0.125, -0.5, 0.0, None)] == ["+12.5 points", "-50.0 points", "+0.0 points", "—"]
    pair = comparison()
    assert moved_text(pair) == points(pair.moved)


def test_what_undoing_an_edit_restores() -> None:
    pair = comparison()
    bare = tuple(replace(word, restores=None) for word in pair.pairs)
    assert restored_text(replace(pair, pairs=bare)) == "In the order of the text."
    assert "how far the probability of “yes” comes back" in restored_text(pair)
    assert ("they work together" in restored_text(pair)) == (pair.flipped and not pair.culprits)
