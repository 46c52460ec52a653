"""What the library says of a token's place is looked at."""

import pytest
import tokenizers_zoo
from tokenizers_zoo import words_of

from attnscope.models.inputs.encode import encode
from attnscope.models.inputs.fast_offsets import placed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<e1>A</e1> castle", ["<e1>", "A", "</e1>", "castle"]),
        ("<e1>the castle</e1>the town", ["<e1>", "the", "castle", "</e1>", "the", "town"]),
        ("<e1> the</e1>猫 <e1>é", ["<e1>", "the", "</e1>", "猫", " ", "<e1>", "é"]),
        (" <e1>A", [" ", "<e1>", "A"]),
    ],
)
def test_a_word_after_an_added_token_keeps_its_letters(text: str, words: list[str]) -> None:
    assert words_of(encode(tokenizers_zoo.tokenizer("byte_bpe_prefixed"), text)) == words


def test_the_library_is_still_wrong_there() -> None:
    """When this fails, the library reports these places rightly, and `placed` can do with less."""
    tokenizer = tokenizers_zoo.tokenizer("byte_bpe_prefixed")
    spans = tokenizer("<e1>the", return_offsets_mapping=True, add_special_tokens=False)["offset_mapping"]
    assert list(map(tuple, spans)) == [(0, 4), (5, 7)]


def test_what_is_written_otherwise_and_what_was_added_stays_where_it_was() -> None:
    tokenizer = tokenizers_zoo.tokenizer("wordpiece")
    ids = tokenizer.convert_tokens_to_ids(["[CLS]", "the", "castle"])
    spans, added = [(0, 0), (1, 4), (5, 11)], [True, False, False]
    assert placed(tokenizer, " THE castle", ids, spans, added) == spans
    # Further off than one character it is no slip of the library's, but a text written otherwise.
    assert placed(tokenizer, "the old castle", ids, [(0, 0), (0, 3), (4, 7)], added) == [(0, 0), (0, 3), (4, 7)]
