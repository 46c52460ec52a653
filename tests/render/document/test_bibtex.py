"""The .bib file of any result."""

import pytest
from drawn_results import EVERY

from attnscope.render import render


@pytest.mark.parametrize("name", EVERY)
def test_the_sentence_stands_above_its_entries(name: str) -> None:
    comment, *entries = render(EVERY[name], ".bib").decode().split("\n\n")
    assert comment.startswith("% ")
    assert all(entry.startswith("@") for entry in entries)
    assert r"\cite{" in comment
