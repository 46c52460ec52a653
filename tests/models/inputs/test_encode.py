import logging
from collections.abc import Iterator
from typing import Any

import pytest
import tokenizers_zoo
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers_zoo import FAST, SLOW, ZOO, assert_laws, state, words_of
from transformers import ByT5Tokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from attnscope.errors import ModelError, TextError, TextTooLongError
from attnscope.models.inputs.encode import encode
from attnscope.text.words import graphemes

SENTENCE = "The castle isn't in New York, is it? (No; it stands above the town)"
HOSTILE = [
    "  leading and trailing \n",
    "熊本城は熊本県にあるお城です。ｶﾞﾗｽ か\u3099き",
    "👨‍👩‍👧👍🏽 🇯🇵🇫🇷🇩 ❤️",
    "\u202eשלום עולם العالم\u200f",
    "e\u0301\u0323 \u0308 x\u200dy\u200bz\ufeff \ufffd",
    "</script><!-- \x00\x01\x1c\x1f\x7f -->",
    "tab\tnew\r\nline\u2028\u2029end\x85\n\n\n",
    "ﬁne Ｆｕｌｌ ㌔ ﷺ İSTANBUL ßẞ K",
    "[CLS] [UNK] [MASK] </s> <s> <unk> <|im_end|> <|endoftext|> ▁ Ġ ## <0x0A>",
    "\ud7ff\ue000\ue001\uffff\U0010ffff",
]
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
    st.lists(
        st.sampled_from([*"The castle. \n\t▁Ġ日本猫", "👩\u200d", "e\u0301", "</s>", "[UNK]", "ﬁ"]), min_size=1
    ).map("".join),
)


@pytest.fixture(params=ZOO)
def tokenizer(request: pytest.FixtureRequest) -> Iterator[PreTrainedTokenizerBase]:
    found = tokenizers_zoo.tokenizer(request.param)
    before = state(found)
    yield found
    assert state(found) == before


@pytest.mark.parametrize("name", ZOO)
@given(text=texts)
@settings(max_examples=60, deadline=None)
def test_the_laws_of_words_hold_for_every_family_and_text(name: str, text: str) -> None:
    try:
        encoded = encode(tokenizers_zoo.tokenizer(name), text)
    except TextError:
        # Nothing but special tokens, or characters that this tokenizer's normaliser deletes.
        return
    except ModelError:
        # Without offsets, what follows an [UNK] may seem to stand elsewhere, and the rest no longer fits.
        assert name == "python_wordpiece"
        assert "[UNK]" in tokenizers_zoo.tokenizer(name).tokenize(text)
        return
    assert encoded.text == text
    assert_laws(encoded)


@pytest.mark.parametrize("name", ZOO)
@given(text=texts, limit=st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_a_cut_text_fits_and_halves_no_character(name: str, text: str, limit: int) -> None:
    tokenizer = tokenizers_zoo.tokenizer(name)
    try:
        encoded = encode(tokenizer, text, max_tokens=limit, truncate=True)
    except (TextError, TextTooLongError):
        return
    except ModelError:
        assert name == "python_wordpiece"
        return
    assert text.startswith(encoded.text)
    assert len(encoded.text) in graphemes(text)
    assert len(encoded.tokens) <= limit
    assert_laws(encoded)
    assert encode(tokenizer, encoded.text, max_tokens=limit) == encoded


@pytest.mark.parametrize("text", [*HOSTILE, "01[UNK]1/3", "banжan an ban", "жук жук the жук"])
def test_a_slow_tokenizer_with_unknown_words_finds_its_way(text: str) -> None:
    slow = encode(tokenizers_zoo.tokenizer("python_wordpiece"), text)
    assert_laws(slow)
    known = [t for t in encode(tokenizers_zoo.tokenizer("wordpiece"), text).tokens if t.end - t.start > 0]
    assert {t.start for t in slow.tokens if t.start < t.end} <= {t.start for t in known} | {0}


def test_a_sentence_gives_the_same_words_for_every_family(tokenizer: PreTrainedTokenizerBase) -> None:
    # A tokenizer that makes tokens of single spaces has words for them besides.
    words = [word for word in words_of(encode(tokenizer, SENTENCE)) if not word.isspace()]
    assert words == [
        *("The", "castle", "isn't", "in", "New", "York", ",", "is", "it", "?"),
        *("(", "No", ";", "it", "stands", "above", "the", "town", ")"),
    ]


@pytest.mark.parametrize("name", ["metaspace_bpe", "characters", "byt5", "canine"])
def test_japanese_words_are_the_same_whether_their_characters_are_tokens_or_bytes(name: str) -> None:
    encoded = encode(tokenizers_zoo.tokenizer(name), "吾輩は猫である。名前はまだ無い。")
    assert [word for word in words_of(encoded) if not word.isspace()] == [
        *("吾輩", "は", "猫", "で", "ある", "。", "名前", "は", "まだ", "無い", "。"),
    ]


def test_the_inputs_are_what_the_tokenizer_itself_gives(tokenizer: PreTrainedTokenizerBase) -> None:
    encoded = encode(tokenizer, SENTENCE)
    expected = state_free_call(tokenizer, SENTENCE)
    assert dict(encoded.inputs) == expected


def state_free_call(tokenizer: PreTrainedTokenizerBase, text: str) -> dict[str, list[int]]:
    if not tokenizer.is_fast:
        return dict(tokenizer(text, verbose=False))
    copy = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(tokenizer.backend_tokenizer.to_str()))
    return dict(copy(text, padding=False, truncation=False, verbose=False))


@pytest.mark.parametrize("name", ZOO)
def test_a_fresh_tokenizer_is_left_as_it_was(name: str) -> None:
    tokenizer = ZOO[name]()
    before = state(tokenizer)
    encode(tokenizer, SENTENCE, max_tokens=9, truncate=True)
    assert state(tokenizer) == before


def test_a_backend_that_is_told_to_split_special_tokens_forgets_it_again() -> None:
    tokenizer = tokenizers_zoo.wordpiece()
    tokenizer.split_special_tokens = True
    before = state(tokenizer)
    assert words_of(encode(tokenizer, "a [CLS]")) == ["a", "[", "CLS", "]"]
    assert state(tokenizer) == before


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("wordpiece", "[CLS]", "[SEP]"),
        ("byte_bpe_trimmed", "<s>", "</s>"),
        ("metaspace_bpe", "<s>", None),
        ("unigram", None, "</s>"),
        ("word_level", "[BOS]", "[EOS]"),
        ("byt5", None, "</s>"),
        ("canine", "\ue000", "\ue001"),
        ("python_wordpiece", "[CLS]", "[SEP]"),
    ],
)
def test_special_tokens_around_the_text_stand_at_its_ends(name: str, first: str | None, last: str | None) -> None:
    text = " The castle "
    tokens = encode(tokenizers_zoo.tokenizer(name), text).tokens
    special = [(token.text, token.start, token.end) for token in tokens if token.special]
    expected = [(first, 0, 0)] if first else []
    assert special == expected + ([(last, len(text), len(text))] if last else [])


@pytest.mark.parametrize(
    ("name", "marker"),
    [
        ("wordpiece", "[MASK]"),
        ("wordpiece", "[UNK]"),
        ("byte_bpe", "<|endoftext|>"),
        ("byte_bpe_chat", "<|im_end|>"),
        ("byte_bpe_chat", "<|im_start|>"),
        ("metaspace_bpe", "</s>"),
        ("byt5", "</s>"),
        ("byt5", "<extra_id_3>"),
        ("canine", "\ue003"),
        ("python_wordpiece", "[SEP]"),
    ],
)
def test_a_special_token_written_in_the_text_keeps_its_place(name: str, marker: str) -> None:
    text = f"the {marker} castle"
    encoded = encode(tokenizers_zoo.tokenizer(name), text)
    placed = [(token.text, token.start) for token in encoded.tokens if token.special and token.start < token.end]
    assert placed == [(marker, 4)]
    assert [word for word in words_of(encoded) if not word.isspace()] == ["the", "castle"]


@pytest.mark.parametrize("name", ["wordpiece", "word_level", "unigram", "characters", "python_wordpiece"])
def test_an_unknown_word_is_still_the_users_word(name: str) -> None:
    encoded = encode(tokenizers_zoo.tokenizer(name), "the жук castle")
    assert [word for word in words_of(encoded) if not word.isspace()] == ["the", "жук", "castle"]


@pytest.mark.parametrize("name", ["byte_bpe", "byte_bpe_trimmed", "byte_bpe_chat", "metaspace_bpe"])
def test_no_space_is_lost_and_a_blank_line_is_a_word(name: str) -> None:
    encoded = encode(tokenizers_zoo.tokenizer(name), "the  castle\n")
    assert words_of(encoded) == ["the", "  ", "castle", "\n"]
    assert {token.text for token in encoded.tokens if token.text.isspace()} == {" ", "\n"}


@pytest.mark.parametrize("name", ["byte_bpe", "byte_bpe_trimmed", "metaspace_bpe", "characters", "byt5", "canine"])
def test_white_space_alone_is_a_text_where_it_gives_tokens(name: str) -> None:
    assert "".join(words_of(encode(tokenizers_zoo.tokenizer(name), "\n"))) == "\n"


@pytest.mark.parametrize("name", ["unigram", "python_wordpiece", "wordpiece"])
def test_a_normalised_text_keeps_its_own_spelling(name: str) -> None:
    text = "The CASTLE ﬁne Ｆｕｌｌ café"
    encoded = encode(tokenizers_zoo.tokenizer(name), text)
    assert [word for word in words_of(encoded) if not word.isspace()] == text.split()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("ab\ud83d", "position 2"),
        (b"bytes", "of type bytes"),
        (None, "of type NoneType"),
        (["a"], "of type list"),
    ],
)
def test_what_is_no_text_is_refused(tokenizer: PreTrainedTokenizerBase, text: Any, message: str) -> None:
    with pytest.raises(TextError, match=message) as caught:
        encode(tokenizer, text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [("wordpiece", "[CLS] [SEP]"), ("wordpiece", " \x00\n"), ("byte_bpe", "<|endoftext|>"), ("byt5", "</s>")],
)
def test_nothing_but_special_tokens_is_refused(name: str, text: str) -> None:
    with pytest.raises(TextError, match="nothing but special tokens"):
        encode(tokenizers_zoo.tokenizer(name), text)


def test_a_text_too_long_says_how_long_and_how_to_cut_it(tokenizer: PreTrainedTokenizerBase) -> None:
    length = len(encode(tokenizer, SENTENCE).tokens)
    with pytest.raises(TextTooLongError, match=rf"\b{length} tokens.*\b{length - 1} are.*--truncate.*truncate=True"):
        encode(tokenizer, SENTENCE, max_tokens=length - 1)
    assert len(encode(tokenizer, SENTENCE, max_tokens=length).tokens) == length
    cut = encode(tokenizer, SENTENCE, max_tokens=length - 1, truncate=True)
    assert len(cut.tokens) < length
    assert SENTENCE.startswith(cut.text)
    assert [t.text for t in cut.tokens if t.special] == [
        t.text for t in encode(tokenizer, SENTENCE).tokens if t.special
    ]


def test_a_cut_text_is_as_long_as_it_may_be() -> None:
    assert encode(tokenizers_zoo.tokenizer("wordpiece"), "the castle the castle", max_tokens=5, truncate=True).text == (
        "the castle the"
    )


def test_no_room_for_text_beside_the_special_tokens_is_refused() -> None:
    with pytest.raises(TextTooLongError, match="no room"):
        encode(tokenizers_zoo.tokenizer("wordpiece"), "the castle", max_tokens=2, truncate=True)


def test_a_long_text_gives_no_warning(tokenizer: PreTrainedTokenizerBase, caplog: pytest.LogCaptureFixture) -> None:
    # transformers' loggers do not propagate unless told to.
    logger = logging.getLogger("transformers")
    logger.addHandler(caplog.handler)
    try:
        encode(tokenizer, "the castle </s>" * 700 + "</s>")
    finally:
        logger.removeHandler(caplog.handler)
    assert not caplog.records


def test_offsets_out_of_the_text_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = tokenizers_zoo.word_level()
    call = type(tokenizer).__call__

    def shifted(self: PreTrainedTokenizerBase, *args: Any, **kwargs: Any) -> Any:
        encoding = call(self, *args, **kwargs)
        encoding["offset_mapping"] = [(start + 5, end + 5) for start, end in encoding["offset_mapping"]]
        return encoding

    monkeypatch.setattr(type(tokenizer), "__call__", shifted)
    with pytest.raises(TextError, match="outside of the text"):
        encode(tokenizer, "the castle")


def test_a_slow_tokenizer_that_mixes_special_tokens_in_is_refused() -> None:
    class Mixing(ByT5Tokenizer):
        def build_inputs_with_special_tokens(self, first: list[int], second: list[int] | None = None) -> list[int]:
            return [*first[:1], self.eos_token_id, *first[1:], *(second or [])]

    with pytest.raises(ModelError, match="between those of the text"):
        encode(Mixing(), "the castle")


@pytest.mark.parametrize("name", ["byte_bpe", "unigram", "byt5"])
def test_thirty_thousand_tokens(name: str) -> None:
    encoded = encode(tokenizers_zoo.tokenizer(name), "a 熊 " * 7_500)
    assert len(encoded.tokens) >= 15_000
    assert [word for word in words_of(encoded) if not word.isspace()] == ["a", "熊"] * 7_500


def test_the_zoo_has_a_family_that_falls_into_bytes_and_one_without_offsets() -> None:
    assert max(len(w.tokens) for w in encode(tokenizers_zoo.tokenizer("byte_bpe"), "猫").words) == 3
    assert all(FAST[name] is ZOO[name] and tokenizers_zoo.tokenizer(name).is_fast for name in FAST)
    assert not any(tokenizers_zoo.tokenizer(name).is_fast for name in SLOW)


def test_a_tokenizer_without_special_tokens_is_enough() -> None:
    backend = Tokenizer(models.WordLevel({"the": 0, "castle": 1}, unk_token="the"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    assert words_of(encode(PreTrainedTokenizerFast(tokenizer_object=backend), "the castle")) == ["the", "castle"]
