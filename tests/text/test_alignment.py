"""Words opposite each other: edits of every kind, laws, and texts too long to weigh whole."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnscope.text.alignment import align_words, cost_of

WORDS = st.lists(st.sampled_from(["the", "teh", "film", "movie", "good", "goood", "is", "", "本", "🙂"]), max_size=9)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("is it good", "is it goood", "s0:0 s1:1 c2:2"),
        ("the film is good", "the movie is good", "s0:0 r1:1 s2:2 s3:3"),
        ("assess this sentence", "please assess this very sentnece", "i-:0 s0:1 s1:2 i-:3 c2:4"),
        ("a b c d", "a d", "s0:0 d1:- d2:- s3:1"),
        ("Respond now", "respond now", "c0:0 s1:1"),
        # The typo stays opposite its original between words that come and go.
        ("determine if it is correct", "and determien if is so corretc", "i-:0 c0:1 s1:2 d2:- s3:3 i-:4 c4:5"),
        ("", "new words", "i-:0 i-:1"),
        ("", "", ""),
    ],
)
def test_edits(left: str, right: str, expected: str) -> None:
    found = align_words(left.split(), right.split())
    shown = [f"{o.kind[0]}{'-' if o.left is None else o.left}:{'-' if o.right is None else o.right}" for o in found]
    assert " ".join(shown) == expected


@given(WORDS, WORDS)
@settings(max_examples=200, deadline=None)
def test_every_word_once_in_order(left: list[str], right: list[str]) -> None:
    found = align_words(left, right)
    assert [o.left for o in found if o.left is not None] == list(range(len(left)))
    assert [o.right for o in found if o.right is not None] == list(range(len(right)))
    for one in found:
        assert (one.kind == "same") == (
            one.left is not None and one.right is not None and left[one.left] == right[one.right]
        )


@given(WORDS)
def test_a_text_lies_opposite_itself(words: list[str]) -> None:
    assert all(o.kind == "same" and o.left == o.right for o in align_words(words, words))


@given(WORDS, WORDS)
@settings(max_examples=100, deadline=None)
def test_the_cost_is_the_least_of_all_alignments(left: list[str], right: list[str]) -> None:
    left, right = left[:4], right[:4]

    def least(i: int, j: int) -> int:
        if i == len(left) or j == len(right):
            return 600 * (len(left) - i + len(right) - j)
        opposite = cost_of(left[i], right[j]) + least(i + 1, j + 1)
        return min(opposite, 600 + least(i + 1, j), 600 + least(i, j + 1))

    cost = sum(
        600 if o.left is None or o.right is None else cost_of(left[o.left], right[o.right])
        for o in align_words(left, right)
    )
    assert cost == least(0, 0)


def test_thousands_of_words_take_seconds() -> None:
    left = [f"word{i % 700}" for i in range(4000)]
    right = [word[:-1] + "x" if i % 50 == 0 else word for i, word in enumerate(left)]
    begun = time.perf_counter()
    found = align_words(left, right)
    assert time.perf_counter() - begun < 10
    assert sum(o.kind == "changed" for o in found) == 80
    assert len(found) == 4000
