"""Two results are compared word by word, and saved as one."""

import pytest
from browsing import asked
from tiny_models import small

from attnscope.errors import InputError
from attnscope.serve.session import Session


def test_two_results_are_compared_and_saved() -> None:
    session = Session([small("llama", sharp=2.0)])
    two = [asked(session, ask="importance", method=m)[0]["result"] for m in ("gradient", "deletion")]
    answer, _ = asked(session, ask="compare", results=two, versus="method", other="deletion")
    assert answer["words"][0][0] == answer["words"][0][1]
    assert 0 < answer["moved"] < 1
    assert asked(session, ask="file", of="compare", results=two, versus="method", other="deletion")[0]["base64"]
    with pytest.raises(InputError, match="two results"):
        asked(session, ask="compare", results=two[:1])
    session.close()
