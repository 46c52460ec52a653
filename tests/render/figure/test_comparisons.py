"""The figure of many comparisons."""

import io
from dataclasses import replace

import numpy as np
import pytest
from drawn_results import comparison
from matplotlib.image import imread

from attnscope.errors import InputError
from attnscope.render import render
from attnscope.render.figure.comparisons import _figure
from attnscope.results.comparison import Comparisons

MANY = Comparisons(
    tuple(comparison(attack=attack, task=task) for attack in ("typo", "sw\u0430p", "城") for task in ("one", "two"))
)


@pytest.mark.parametrize(("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF-")])
def test_many_pairs_are_drawn_twice_the_same(suffix: str, begins: bytes) -> None:
    once = render(MANY, suffix)
    assert once.startswith(begins)
    assert once == render(MANY, suffix)
    assert once != render(MANY, suffix, dark=True)


def test_bars_are_the_summaries_and_dots_the_pairs() -> None:
    verdicts, moved = _figure(MANY, False, None).axes
    assert [label.get_text() for label in verdicts.get_yticklabels()] == [
        "typo (2)",
        "sw\u0430p (2)",
        "城 (2)",
        "all (6)",
    ]
    widths = [[bar.get_width() for bar in bars] for bars in verdicts.containers]
    summaries = MANY.summaries("attack")
    expected = [[100 * getattr(one, name) for one in summaries] for name in ("before", "after", "flips")]
    assert widths == expected
    assert [len(dots.get_offsets()) for dots in moved.collections] == [2, 2, 2, 6]
    assert np.allclose(moved.collections[3].get_offsets()[:, 0], [100 * pair.moved for pair in MANY.pairs])


def test_without_labels_there_are_flips_alone_and_without_pairs_nothing() -> None:
    plain = Comparisons(tuple(replace(pair, expected=None) for pair in MANY.pairs[:2]))
    verdicts, _ = _figure(plain, False, None).axes
    assert [text.get_text() for text in verdicts.get_legend().get_texts()] == ["flipped"]
    assert [label.get_text() for label in verdicts.get_yticklabels()][-1] == "all (2)"
    with pytest.raises(InputError, match="no pairs"):
        render(Comparisons(()), ".png")
    assert imread(io.BytesIO(render(plain, ".png")), format="png").shape[0] > 50
