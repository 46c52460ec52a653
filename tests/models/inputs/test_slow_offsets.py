"""The places of tokens of tokenizers that report none; `test_encode.py` runs them on hostile texts too."""

import string
from typing import Any

import pytest
import tokenizers_zoo
from transformers import ByT5Tokenizer

from attnscope.errors import ModelError
from attnscope.models.inputs.encode import encode
from attnscope.models.inputs.slow_offsets import align
from attnscope.models.typed import text_ids


def spelled(name: str, text: str) -> list[str]:
    tokenizer = tokenizers_zoo.tokenizer(name)
    return [text[start:end] for start, end in align(tokenizer, text_ids(tokenizer, text), text)]


@pytest.mark.parametrize("text", ["the castle", "the  castle\n", "The CASTLE"])
def test_folded_tokens_are_found_as_they_are_written(text: str) -> None:
    fast, slow = tokenizers_zoo.tokenizer("wordpiece"), tokenizers_zoo.tokenizer("python_wordpiece")
    encoding = fast(text, add_special_tokens=False, return_offsets_mapping=True)
    assert encoding["input_ids"] == text_ids(slow, text)
    assert align(slow, encoding["input_ids"], text) == [tuple(span) for span in encoding["offset_mapping"]]


def test_the_bytes_of_one_character_share_its_place() -> None:
    assert spelled("byt5", "a熊b") == ["a", "熊", "熊", "熊", "b"]


def test_no_tokens_stand_nowhere_and_all_of_the_text_must_be_spelled() -> None:
    tokenizer = tokenizers_zoo.tokenizer("byt5")
    assert align(tokenizer, [], "") == []
    with pytest.raises(ModelError, match="near character 0"):
        align(tokenizer, [], "the castle")
    with pytest.raises(ModelError, match="near character 3"):
        align(tokenizer, text_ids(tokenizer, "the"), "the castle")


def test_a_slow_tokenizer_that_does_not_spell_the_text_is_refused() -> None:
    class Rot13(ByT5Tokenizer):
        def _tokenize(self, text: str, **_: Any) -> list[str]:
            letters = string.ascii_lowercase
            return super()._tokenize(text.translate(str.maketrans(letters, letters[13:] + letters[:13])))

    with pytest.raises(ModelError, match=r"Rot13 reports no offsets.*near character 0.*use_fast=True"):
        encode(Rot13(), "the castle")
