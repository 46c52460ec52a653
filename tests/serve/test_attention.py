"""What a word attends to in every head is what its maps say."""

import zlib
from base64 import b64decode

import numpy as np
import pytest
from browsing import asked
from tiny_models import small

import attnscope as ats
from attnscope.errors import InputError
from attnscope.serve.session import Session

TEXT = "a b c d e"


def test_the_rows_of_a_word_are_those_of_its_maps() -> None:
    session = Session([small("llama", sharp=2.0)])
    answer, _ = asked(session, ask="rows", place=4)
    assert (answer["word"], answer["rows"], answer["columns"]) == ([4, 5], 1, 5)
    maps = ats.attention_maps(session.worker("").model, TEXT, queries=[2])
    assert maps.codes is not None
    bytes_of = zlib.decompress(b64decode(answer["stream"]), -15)
    rows = np.frombuffer(bytes_of, np.uint8).reshape(3, 4, 5)
    strongest = maps.codes[:, :, 0].argmax(-1)
    assert (rows.argmax(-1) == strongest).all()
    with pytest.raises(InputError, match="no word"):
        asked(session, ask="rows", place=1)
    session.close()
