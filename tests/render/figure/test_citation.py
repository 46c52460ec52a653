"""The figure of a citation."""

import numpy as np
import pytest
from drawn_results import citation, estimated

from attnscope.errors import InputError
from attnscope.render import render
from attnscope.results.citation.citation import Citation


@pytest.mark.parametrize("dark", [False, True])
def test_it_is_drawn(dark: bool) -> None:
    assert render(estimated(), ".png", dark=dark).startswith(b"\x89PNG")
    assert render(citation("誰が城を建てた？", ("太郎。", "丘。", "雨。")), ".svg", dark=dark) == render(
        citation("誰が城を建てた？", ("太郎。", "丘。", "雨。")), ".svg", dark=dark
    )


def test_nothing_to_draw() -> None:
    empty = Citation("q", "", (), (), np.zeros((0, 0)), np.zeros((0, 0)), "deletion", "nats", 1)
    with pytest.raises(InputError, match="nothing to draw"):
        render(empty, ".png")
