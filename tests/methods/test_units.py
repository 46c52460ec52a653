"""The pieces that get a score: which there are, what is inside one of them, and the laws of summing and sharing."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from comparisons import close
from hypothesis import given
from hypothesis import strategies as st
from planted import copy_tokenizer
from tokenizers_zoo import byte_bpe

import attnscope as ats
from attnscope.errors import InputError
from attnscope.methods.units import UNITS, Units, units_of, words_in
from attnscope.models.inputs.encode import Encoded, encode
from attnscope.text.words import TokenSpan, WordSpan, group

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
        ats.explain(llama, SENTENCES, "gradient", target=" g", within=within)


def encoded(text: str = SENTENCES) -> Encoded:
    return encode(copy_tokenizer(), text)


def texts(units: Units, text: str = SENTENCES) -> list[str]:
    return [text[span.start : span.end] for span in units.spans]


def test_the_units_of_a_text() -> None:
    every = {unit: units_of(encoded(), unit) for unit in UNITS}
    assert units_of(encoded()) == every["word"]
    assert texts(every["word"]) == texts(every["token"]) == SENTENCES.split()
    assert texts(every["sentence"]) == ["a b .", "c d e .", "f"]
    assert texts(every["segment"]) == [SENTENCES]
    assert every["segment"].names == ("paragraph 1",)
    assert {unit: (units.unit, units.tokens, units.within) for unit, units in every.items()} == {
        unit: (unit, 8, None) for unit in UNITS
    }
    assert every["sentence"].names == ()


def test_segments_by_name_or_by_the_text_itself() -> None:
    named = units_of(encoded(), segments={"back": (14, 15), "front": (0, 5)})
    assert (named.unit, named.names, texts(named)) == ("segment", ("front", "back"), ["a b .", "f"])
    text = "a b .\n\nc d"
    assert units_of(encoded(text), "segment", "paragraphs").names == ("paragraph 1", "paragraph 2")
    inside = units_of(encoded(text), "segment", {"one": (0, 1), "two": (7, 8), "three": (9, 10)}, (7, 10))
    assert (inside.names, texts(inside, text), inside.within) == (("two", "three"), ["c", "d"], (7, 10))
    assert texts(units_of(encoded(text), within="paragraph 2"), text) == ["c", "d"]
    with pytest.raises(InputError, match="no chat markers"):
        units_of(encoded(text), segments="turns")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"unit": "page"}, "unit='page': choose from word, token, character, sentence, segment"),
        ({"unit": "word", "segments": {"a": (0, 5)}}, "segments were given and unit='word'"),
        ({"segments": "pages"}, r"give 'paragraphs', 'turns' or \{name"),
        ({"segments": ["front", "back"]}, r"segments is of type list: give 'paragraphs', 'turns' or \{name"),
        ({"segments": [(0, 5)], "within": "a"}, "segments is of type list"),
        ({"segments": {"a": 5}}, r"the segment 'a' is 5: give its start and its end, as \(start, end\)"),
        ({"segments": {"a": slice(0, 5)}}, "the segment 'a' is slice"),
        ({"within": 5}, "the segment 'within' is 5"),
        ({"segments": {"gap": (1, 2)}}, "the segment 'gap' has no words"),
        ({"segments": {"a": (0, 5)}, "within": "b"}, "within='b': the text's segments are 'a'$"),
        ({"unit": "sentence", "within": (3, 4)}, "no unit begins within 3:4"),
        ({"within": (0, 99)}, "the segment 'within'"),
    ],
)
def test_units_that_there_are_not_say_so(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        units_of(encoded(), **asked)


@st.composite
def parted(draw: st.DrawFn) -> Units:
    """Tokens in runs, some of which are units and some of no unit."""
    runs = draw(st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=6))
    spans, start = [], 0
    for length, is_unit in [*runs, (1, True)]:
        if is_unit:
            spans.append(WordSpan(start, start + length, tuple(range(start, start + length))))
        start += length
    return Units("word", tuple(spans), (), None, start)


@given(parted(), st.integers(0, 2**32 - 1))
def test_law_what_is_spread_is_pooled_again(units: Units, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(2, len(units)))
    tokens = units.spread(scores)
    assert tokens.shape == (2, units.tokens)
    np.testing.assert_allclose(units.pooled(tokens), scores, atol=1e-12)
    for i, span in enumerate(units.spans):
        share = scores[:, [i]] / len(span.tokens)
        np.testing.assert_allclose(tokens[:, list(span.tokens)], share.repeat(len(span.tokens), axis=1))
    outside = sorted(set(range(units.tokens)) - {token for span in units.spans for token in span.tokens})
    assert not tokens[:, outside].any()


@given(parted(), st.integers(0, 2**32 - 1))
def test_law_pooling_loses_nothing_but_what_is_in_no_unit(units: Units, seed: int) -> None:
    tokens = np.random.default_rng(seed).normal(size=units.tokens)
    inside = [token for span in units.spans for token in span.tokens]
    assert units.pooled(tokens).sum() == pytest.approx(tokens[inside].sum())
    again = units.spread(units.pooled(tokens))
    np.testing.assert_allclose(units.pooled(again), units.pooled(tokens), atol=1e-12)


PASSAGE = "[1] Kumamoto Castle was built in 1607. It was damaged in 2016.\n\nAnother one is older. It stands"


@pytest.fixture(scope="module")
def passage() -> Encoded:
    return encode(byte_bpe(), PASSAGE)


def of_passage(passage: Encoded, **asked: object) -> list[str]:
    return [passage.text[span.start : span.end] for span in units_of(passage, **asked).spans]  # type: ignore[arg-type]


def test_a_sentence_that_begins_before_the_part_has_its_words_inside_it(passage: Encoded) -> None:
    castle, damage = "Kumamoto Castle was built in 1607.", "It was damaged in 2016."
    assert of_passage(passage, unit="sentence", within=(4, 62)) == [castle, damage]
    assert of_passage(passage, unit="sentence", segments={"passage": (4, 62)}, within="passage") == [castle, damage]


def test_a_unit_that_goes_on_after_the_part_ends_with_it(passage: Encoded) -> None:
    assert of_passage(passage, unit="sentence", within=(4, 45)) == ["Kumamoto Castle was built in 1607.", "It was"]
    assert units_of(passage, "segment", None, (39, 75)).names == ("paragraph 1", "paragraph 2")
    assert of_passage(passage, unit="segment", within=(39, 75)) == ["It was damaged in 2016.", "Another one"]


@given(start=st.integers(0, len(PASSAGE) - 1), length=st.integers(1, len(PASSAGE)))
def test_no_word_of_the_part_is_lost_and_none_is_added(passage: Encoded, start: int, length: int) -> None:
    part = (start, min(len(PASSAGE), start + length))
    try:
        words = units_of(passage, "word", None, part)
    except InputError:
        return
    # White space that is a token of its own belongs to no sentence.
    expected = {i for span in words.spans if PASSAGE[span.start : span.end].strip() for i in span.tokens}
    for unit in ("sentence", "segment") if expected else ():
        assert expected <= (units_of(passage, unit, None, part).chosen_tokens or set())
        assert (units_of(passage, unit, None, part).chosen_tokens or set()) <= (words.chosen_tokens or set())


def test_a_part_without_words_is_refused(passage: Encoded) -> None:
    with pytest.raises(InputError, match="no unit begins within 62:63"):
        units_of(passage, "sentence", None, (62, 63))


def test_words_that_a_token_joins_are_taken_apart_by_their_characters() -> None:
    text = "日本の城 (old)."
    places = [(0, 1), (1, 3), (3, 4), (4, 9), (9, 11)]
    tokens = tuple(TokenSpan(text[a:b], a, b, False) for a, b in places)
    joined = Encoded(text, {}, tokens, group(text, tokens))
    words = words_in(joined, units := units_of(joined))
    assert [text[a:b] for a, b in words.spans] == ["日本", "の", "城", "(", "old", ")", "."]
    assert words.shared == ((0, 2), (3, 5), (5, 7))
    scores = np.array([[1.0, 2.0, 4.0, 8.0, 16.0]])
    np.testing.assert_allclose(words.scores(units.pooled(scores), scores), [[2, 1, 4, 2, 6, 8, 8]])
    for unit in ("token", "sentence"):
        other = units_of(joined, unit)
        assert words_in(joined, other).spans == tuple((span.start, span.end) for span in other.spans)


@given(st.integers(0, 2**32 - 1))
def test_law_taking_words_apart_loses_nothing_and_leaves_whole_units_as_they_are(seed: int) -> None:
    random = np.random.default_rng(seed)
    text = "Don't stop (New York). 日本の城は古い。"
    cuts = sorted({0, len(text), *random.integers(0, len(text), 12).tolist()})
    tokens = tuple(TokenSpan(text[a:b], a, b, False) for a, b in pairwise(cuts))
    cut = Encoded(text, {}, tokens, group(text, tokens))
    words = words_in(cut, units := units_of(cut))
    scores = random.normal(size=len(tokens))
    pooled = units.pooled(scores)
    apart = words.scores(pooled, scores)
    for span, whole in zip(units.spans, pooled, strict=True):
        inside = [i for i, (a, b) in enumerate(words.spans) if span.start <= a and b <= span.end]
        assert apart[inside].sum() == pytest.approx(whole)
        assert len(inside) > 1 or apart[inside[0]] == whole
        assert len(inside) == 1 or (inside[0], inside[-1] + 1) in words.shared


def test_characters_share_the_score_of_their_token(llama: ats.Model) -> None:
    text = "MKV 日👨‍👩‍👧"
    places = [(0, 2), (2, 4), (4, 5), (5, 7), (7, 10)]
    tokens = tuple(TokenSpan(text[a:b], a, b, False) for a, b in places)
    cut = Encoded(text, {}, tokens, group(text, tokens))
    units = units_of(cut, "character")
    words = words_in(cut, units)
    assert [text[a:b] for a, b in words.spans] == ["M", "K", "V", "日", text[5:7], text[7:10]]
    scores = np.array([2.0, 3.0, 5.0, 7.0, 11.0])
    np.testing.assert_allclose(words.scores(units.pooled(scores), scores), [1, 1, 3, 5, 7, 11])
    for method in ("attention", "gradient", "deletion", "rollout"):
        by_token = ats.explain(llama, "a b c d", method, unit="token")
        assert ats.explain(llama, "a b c d", method, unit="character").scores == pytest.approx(by_token.scores)


@pytest.mark.parametrize("method", ["gradient", "random", "deletion"])
@pytest.mark.parametrize("given", [{}, {"segments": "turns"}, {"unit": "token"}])
def test_a_chat_without_words_before_the_reply_has_nothing_to_score(
    smollm2: ats.Model, method: str, given: dict[str, Any]
) -> None:
    chat = [{"role": "user", "content": ""}, {"role": "assistant", "content": "Hi"}]
    with pytest.raises(InputError, match="no word stands before what is explained"):
        ats.explain(smollm2, chat, method=method, target="Hi", **given)
