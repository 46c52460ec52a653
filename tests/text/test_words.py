import doctest
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnscope.errors import QueryError
from attnscope.text import words
from attnscope.text.words import TokenSpan, WordSpan, find_words, graphemes, group, segment

HOSTILE = [
    "",
    " ",
    "  leading and trailing \n",
    "Don't stop: New York, U.S.A. (3.14)…",
    "熊本城は熊本県にあるお城です。\u3000ガラスのｶﾞﾗｽ、か\u3099き",
    "👨‍👩‍👧👍🏽 🇯🇵🇫🇷🇩 ❤️",
    "\u202eשלום עולם العالم\u200f",
    "e\u0301\u0323 \u0308 x\u200dy\u200bz\ufeff",
    "</script><!-- \x00\x01\x1c\x1f\x7f -->",
    "tab\tnew\r\nline\u2028\u2029end\x85",
    "नमस्ते क्षत्रिय ខ្មែរ မြန်မာ วันนี้ 한국어",
    "\ud7ff\ue000\uffff\U0010ffff",
]
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.lists(st.sampled_from(list("ab .\n'👨👩\u200d🏽🇯🇵e\u0301日本のガー々ก\u0e31กा\u0308\u200e")), max_size=40).map(
        "".join
    ),
)


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in segment(text)]


def token(text: str, start: int, end: int, special: bool = False) -> TokenSpan:
    return TokenSpan(text[start:end], start, end, special)


def test_the_docstrings_examples_are_true() -> None:
    assert doctest.testmod(words).failed == 0
    assert doctest.testmod(words).attempted >= 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \t\n", []),
        ("Don't stop, U.S.A.", ["Don't", "stop", ",", "U.S.A", "."]),
        ("pi is 3.14 (e.g. foo_bar)", ["pi", "is", "3.14", "(", "e.g", ".", "foo_bar", ")"]),
        ("Привет, мир!", ["Привет", ",", "мир", "!"]),
        ("السلام عليكم", ["السلام", "عليكم"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("한국어 텍스트", ["한국어", "텍스트"]),
        ("👨‍👩‍👧👍🏽 🇯🇵🇫🇷🇩", ["👨‍👩‍👧", "👍🏽", "🇯🇵", "🇫🇷", "🇩"]),
        ("cafe\u0301 e\u0323\u0301", ["cafe\u0301", "e\u0323\u0301"]),
        ("a \u200eb", ["a", "\u200e", "b"]),
        ("a\x1cb", ["a", "b"]),
        ("ខ្មែរ", ["ខ្មែ", "រ"]),
    ],
)
def test_words_are_unicodes_and_punctuation_stands_alone(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


@given(texts)
def test_segments_are_ordered_hold_all_but_space_and_cut_no_grapheme(text: str) -> None:
    spans = segment(text)
    position = 0
    for start, end in spans:
        assert position <= start < end
        assert not text[position:start].strip()
        assert text[start:end].strip()
        position = end
    assert not text[position:].strip()
    assert {position for span in spans for position in span} <= set(graphemes(text))


@st.composite
def texts_with_tokens(draw: st.DrawFn) -> tuple[str, list[TokenSpan]]:
    """Mostly a partition of the text, as tokenizers make it, with overlaps, gaps and special tokens thrown in."""
    text = draw(texts)
    positions = st.integers(0, len(text))
    cuts = sorted({0, len(text), *draw(st.lists(positions, max_size=12))})
    spans = [(start, end) for start, end in pairwise(cuts) if draw(st.integers(0, 5))]
    spans += [(min(pair), max(pair)) for pair in draw(st.lists(st.tuples(positions, positions), max_size=3))]
    spans = draw(st.permutations(spans)) if draw(st.booleans()) else sorted(spans)
    return text, [token(text, start, end, special=draw(st.integers(0, 5)) == 0) for start, end in spans]


def assert_laws(text: str, tokens: list[TokenSpan], words: tuple[WordSpan, ...]) -> None:
    members = [index for word in words for index in word.tokens]
    assert sorted(members) == [i for i, t in enumerate(tokens) if not t.special and t.start < t.end]
    joined, position = "", 0
    for word in words:
        assert position <= word.start < word.end
        assert word.tokens
        joined += text[position : word.start] + text[word.start : word.end]
        position = word.end
    assert joined + text[position:] == text


@given(texts_with_tokens())
def test_every_token_is_in_one_word_and_words_give_the_text_back(case: tuple[str, list[TokenSpan]]) -> None:
    assert_laws(*case, group(*case))


@given(texts_with_tokens())
def test_words_are_the_connected_components_of_overlap(case: tuple[str, list[TokenSpan]]) -> None:
    text, tokens = case
    assert group(text, tokens) == slow_group(text, tokens)


def white_space_around(text: str, place: int) -> range:
    start, end = place, place
    while start and text[start - 1].isspace():
        start -= 1
    while end < len(text) and text[end].isspace():
        end += 1
    return range(start, end)


def slow_group(text: str, tokens: list[TokenSpan]) -> tuple[WordSpan, ...]:
    """The textbook version: sets of characters, merged as long as two of them meet."""
    parts: list[tuple[set[int], set[int]]] = [(set(range(*span)), set()) for span in segment(text)]
    for index, t in enumerate(tokens):
        if not t.special and t.text:
            solid = {i for i in range(t.start, t.end) if not text[i].isspace()}
            core = range(min(solid), max(solid) + 1) if solid else white_space_around(text, t.start)
            parts.append((set(core), {index}))
    merged: list[tuple[set[int], set[int]]] = []
    for characters, members in parts:
        for other in [other for other in merged if other[0] & characters]:
            merged.remove(other)
            characters, members = characters | other[0], members | other[1]
        merged.append((characters, members))
    found = [WordSpan(min(c), max(c) + 1, tuple(sorted(m))) for c, m in merged if m]
    return tuple(sorted(found, key=lambda word: word.start))


def test_a_leading_space_is_not_in_the_word_and_blank_lines_are_words() -> None:
    text = " the cat\n\nsat"
    tokens = [token(text, *span) for span in [(0, 4), (4, 6), (6, 8), (8, 10), (10, 13)]]
    assert [text[w.start : w.end] for w in group(text, tokens)] == ["the", "cat", "\n\n", "sat"]


def test_tokens_that_share_a_character_share_a_word_and_wide_tokens_join() -> None:
    text = "猫🐱 New York"
    tokens = [token(text, *span) for span in [(0, 1), (0, 1), (1, 2), (1, 2), (2, 11)]]
    assert [(text[w.start : w.end], w.tokens) for w in group(text, tokens)] == [
        ("猫", (0, 1)),
        ("🐱", (2, 3)),
        ("New York", (4,)),
    ]


def test_white_space_is_one_word_however_it_is_cut_into_tokens() -> None:
    text = "a\r\n\r\n  b"
    for cuts in ([(0, 1), (1, 2), (2, 3), (3, 5), (5, 6), (6, 8)], [(0, 1), (1, 5), (5, 7), (7, 8)]):
        assert [text[w.start : w.end] for w in group(text, [token(text, *span) for span in cuts])] == [
            "a", "\r\n\r\n  ", "b"
        ]  # fmt: skip


def test_a_word_within_a_token_can_be_asked_for() -> None:
    text = "日本の城 (old)."
    units = group(text, [token(text, *span) for span in [(0, 1), (1, 3), (3, 4), (4, 9), (9, 11)]])
    assert [text[u.start : u.end] for u in units] == ["日本の", "城", "(old", ")."]
    assert [find_words(text, units, query) for query in ("の", "日本", "日本の", "old", ")", "城 (", "日本の城")] == [
        (0,), (0,), (0,), (2,), (3,), (1, 2), (0, 1)
    ]  # fmt: skip


def test_special_and_empty_tokens_belong_to_no_word() -> None:
    text = "[MASK] a"
    tokens = [token(text, 0, 6, special=True), TokenSpan("", 7, 7, False), token(text, 7, 8)]
    assert group(text, tokens) == (WordSpan(7, 8, (2,)),)


def test_thirty_thousand_tokens() -> None:
    text = "word " * 15_000 + "日本🇯🇵" * 3_750
    tokens = [token(text, i, i + 5) for i in range(0, 75_000, 5)] + [
        token(text, i, i + 1) for i in range(75_000, 90_000)
    ]
    words = group(text, tokens)
    assert_laws(text, tokens, words)
    assert len(words) == 15_000 + 2 * 3_750


SENTENCE = "New York is new. New\nYork, Kumamoto!"
WORDS = tuple(WordSpan(start, end, (index,)) for index, (start, end) in enumerate(segment(SENTENCE)))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("New", (0,)),
        ("new", (3,)),
        (" is ", (2,)),
        (".", (4,)),
        ("New York", (0, 1)),
        ("York,", (6, 7)),
        ("is new. New York", (2, 3, 4, 5, 6)),
        ("Kumamoto!", (8, 9)),
    ],
)
def test_a_query_names_the_first_word_or_phrase(query: str, expected: tuple[int, ...]) -> None:
    assert find_words(SENTENCE, WORDS, query) == expected


def test_a_phrase_begins_and_ends_with_words() -> None:
    text = "aNew York New York"
    words = tuple(WordSpan(start, end, ()) for start, end in segment(text))
    assert find_words(text, words, "New York") == (2, 3)


def test_a_blank_line_can_be_asked_for() -> None:
    assert find_words("a\n\nb", [WordSpan(0, 1, (0,)), WordSpan(1, 3, (1,)), WordSpan(3, 4, (2,))], "\n\n") == (1,)


@pytest.mark.parametrize(
    ("query", "offered"),
    [("Yrok", "'York'"), ("Kuma", "'Kumamoto'"), ("york", "'York'"), ("zzz", "'New', 'York', 'is'"), ("", "index")],
)
def test_a_query_that_is_nowhere_is_answered_with_the_nearest_words(query: str, offered: str) -> None:
    with pytest.raises(QueryError, match="the query") as caught:
        find_words(SENTENCE, WORDS, query)
    assert offered in str(caught.value)
    assert repr(query) in str(caught.value)


def test_the_answer_to_a_hostile_query_is_one_short_line() -> None:
    with pytest.raises(QueryError) as caught:
        find_words(SENTENCE, WORDS, "x\ny" * 50_000)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
