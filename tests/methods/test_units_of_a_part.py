"""The pieces of a text that are scored, and of a part of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers_zoo import byte_bpe

from attnscope.errors import InputError
from attnscope.methods.units import units_of
from attnscope.models.inputs.encode import Encoded, encode

TEXT = "[1] Kumamoto Castle was built in 1607. It was damaged in 2016.\n\nAnother one is older. It stands"


@pytest.fixture(scope="module")
def encoded() -> Encoded:
    return encode(byte_bpe(), TEXT)


def texts(encoded: Encoded, **asked: object) -> list[str]:
    return [encoded.text[span.start : span.end] for span in units_of(encoded, **asked).spans]  # type: ignore[arg-type]


def test_a_sentence_that_begins_before_the_part_has_its_words_inside_it(encoded: Encoded) -> None:
    castle, damage = "Kumamoto Castle was built in 1607.", "It was damaged in 2016."
    assert texts(encoded, unit="sentence", within=(4, 62)) == [castle, damage]
    assert texts(encoded, unit="sentence", segments={"passage": (4, 62)}, within="passage") == [castle, damage]


def test_a_unit_that_goes_on_after_the_part_ends_with_it(encoded: Encoded) -> None:
    assert texts(encoded, unit="sentence", within=(4, 45)) == ["Kumamoto Castle was built in 1607.", "It was"]
    assert units_of(encoded, "segment", None, (39, 75)).names == ("paragraph 1", "paragraph 2")
    assert texts(encoded, unit="segment", within=(39, 75)) == ["It was damaged in 2016.", "Another one"]


@given(start=st.integers(0, len(TEXT) - 1), length=st.integers(1, len(TEXT)))
def test_no_word_of_the_part_is_lost_and_none_is_added(encoded: Encoded, start: int, length: int) -> None:
    part = (start, min(len(TEXT), start + length))
    try:
        words = units_of(encoded, "word", None, part)
    except InputError:
        return
    # White space that is a token of its own belongs to no sentence.
    expected = {i for span in words.spans if TEXT[span.start : span.end].strip() for i in span.tokens}
    for unit in ("sentence", "segment") if expected else ():
        assert expected <= (units_of(encoded, unit, None, part).chosen_tokens or set())
        assert (units_of(encoded, unit, None, part).chosen_tokens or set()) <= (words.chosen_tokens or set())


def test_a_part_without_words_is_refused(encoded: Encoded) -> None:
    with pytest.raises(InputError, match="no unit begins within 62:63"):
        units_of(encoded, "sentence", None, (62, 63))
