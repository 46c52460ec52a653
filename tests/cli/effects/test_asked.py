"""What the commands that take things away have in common."""

import pytest

from attnscope.cli.effects.asked import Asked
from attnscope.cli.options import Source
from attnscope.errors import InputError


def test_it_is_what_the_functions_take() -> None:
    given = Asked(target=" e", position="3", stack="cross").of(Source("a b", chat=True))
    assert given == {
        "target": " e", "against": None, "generate": None, "position": 3, "quantity": None, "similar_to": None,
        "stack": "cross", "chat": True,
    }  # fmt: skip
    assert Asked(position="castle").of(Source("a castle"))["position"] == "castle"
    assert Asked().of(Source("a b", pair="c"), pairs=True)["text_pair"] == "c"


def test_what_is_not_read_is_refused() -> None:
    with pytest.raises(InputError, match="leave --window out"):
        Asked().of(Source("a b", window=512), pairs=True)
    with pytest.raises(InputError, match="leave --pair out"):
        Asked().of(Source("a b", pair="c"))
