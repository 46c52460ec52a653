"""What pictures of two similar texts say."""

import numpy as np
from drawn_results import similar

from attnscope.render.content.similarity import facts_of, largest, lines_of, scaled, sums_of, title_of

ONE = similar("a castle on the hill", "the fortress")


def test_the_sums_say_what_is_missing() -> None:
    sums, rest = sums_of(ONE)
    assert f"add up to {ONE.scores.sum():.4g}: the cosine similarity of the texts (0.5)" in sums
    assert "(0.25 and 0.125), plus that of both baselines (0.75)" in sums
    assert f"miss it by {ONE.error:.4g}" in sums
    assert rest.startswith("The rest of 0.5 is 0.75 from the baselines, -0.5 from the words of the left text alone")
    assert title_of(ONE) == "Why two texts are similar: cosine similarity 0.5"
    assert ("words", "5 × 2") in facts_of(ONE)


def test_lines_are_the_strong_pairs_with_the_strongest_last() -> None:
    lines = lines_of(ONE)
    assert largest(ONE) == 0.4
    assert (lines[-1].left, lines[-1].right, lines[-1].share) == (4, 1, 1.0)
    assert min(abs(line.share) for line in lines) >= 0.15
    assert any(line.share < 0 for line in lines)
    assert scaled(ONE).shape == (5, 2)
    assert scaled(ONE)[4, 1] == 1
    assert np.isclose(scaled(ONE)[0, 0], 0.375)


def test_nothing_is_drawn_where_all_is_zero() -> None:
    from dataclasses import replace

    assert lines_of(replace(ONE, scores=np.zeros((5, 2)))) == []
