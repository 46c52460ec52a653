"""The text cut into words and the gaps between them."""

import pytest
from drawn_results import RESULTS

from attnscope.render.content.pieces import Piece, columns, pieces, visible


@pytest.mark.parametrize("name", RESULTS)
def test_the_pieces_are_the_text_without_its_special_tokens(name: str) -> None:
    drawn = RESULTS[name]
    made = list(pieces(drawn))
    assert [piece.word for piece in made if piece.word is not None] == list(range(len(drawn.words)))
    hidden = [(token.start, token.end) for token in drawn.tokens if token.special]
    shown = (c for i, c in enumerate(drawn.text) if not any(start <= i < end for start, end in hidden))
    assert "".join(piece.text for piece in made) == "".join(shown)
    for piece in made:
        if piece.word is not None and piece.text:
            assert piece.text == drawn.words[piece.word].text


def test_a_word_inside_a_special_token_is_an_empty_piece() -> None:
    assert list(pieces(RESULTS["word in special"])) == [
        Piece("Say", 0), Piece(" ", None), Piece("", 1), Piece(" ", None), Piece("here", 2),
    ]  # fmt: skip


def test_visible() -> None:
    assert visible("a\tb\nc\x1b\x7f\x85\u202e\ud800", keep="\n") == "a␉b\nc␛␡\\u0085\\u202e\\ud800"
    assert visible("שלום 猫 👍🏽 e\u0301") == "שלום 猫 👍🏽 e\u0301"


def test_columns() -> None:
    assert [columns(t) for t in ("abc", "猫", "ｶ", "e\u0301", "👍", "")] == [3, 2, 1, 1, 2, 0]
