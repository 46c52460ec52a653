"""Comparisons as CSV, plain text and LaTeX."""

import csv
import io
import re
from dataclasses import replace

import pytest
from drawn_results import (
    ARABIC,
    ENGLISH,
    JAPANESE,
    SEGMENTS,
    comparison,
)

from attnscope.render import RENDERERS, render
from attnscope.render.content.pieces import columns
from attnscope.results.attribution import Attribution
from attnscope.results.comparison import ComparedSide, Comparison, Comparisons, paired_words

HOSTILE = "</script><script>alert(1)</script> & <b>x</b> $100 _under_ 50% #1 ~^{}\\ \u202eabc"


FIGURES = (".png", ".svg", ".pdf")  # in figure/test_comparison.py
PAIRS = {
    "english": comparison(ENGLISH, ENGLISH.replace("castle", "castel").replace("river, and", "river"), attack="typo"),
    "japanese": comparison(JAPANESE, JAPANESE.replace("猫", "犬"), SEGMENTS),
    "arabic": comparison(ARABIC, ARABIC.replace("كان", "كانت")),
    "hostile": comparison(HOSTILE, HOSTILE.replace("100", "200"), attack="<i>", task="'\"&"),
    "equal": comparison("a b c", "a b c"),
}


@pytest.mark.parametrize("suffix", [suffix for suffix in RENDERERS[Comparison] if suffix not in FIGURES])
@pytest.mark.parametrize("name", ["hostile", "japanese", "equal"])
def test_every_pair_is_written_twice_the_same(suffix: str, name: str) -> None:
    once, again = (render(PAIRS[name], suffix) for _ in range(2))
    assert once == again
    assert len(once) > 100


def test_csv_and_text_say_the_numbers() -> None:
    drawn = PAIRS["english"]
    rows = list(csv.DictReader(io.StringIO(render(drawn, ".csv").decode())))
    assert len(rows) == len(drawn.pairs)
    assert [float(r["change"]) for r in rows] == [p.change for p in drawn.pairs]
    assert {r["kind"] for r in rows} == {"same", "changed", "deleted"}
    text = render(drawn, ".txt").decode()
    assert "clean: ✓ yes right" in text
    assert "adversarial: ✗ no wrong" in text


def test_wide_letters_line_up_and_a_space_is_no_word() -> None:
    words = ["熊本城", "は", "　", "old", "です"]
    sides = [
        Attribution.of("".join(chosen), chosen, range(len(chosen))) for chosen in (words, [*words[:2], *words[3:]])
    ]
    pair = Comparison(*(ComparedSide(name, side) for name, side in zip(("前", "b"), sides, strict=True)), ())
    pair = replace(pair, pairs=paired_words(pair.left, pair.right, {}))
    lines = render(pair, ".txt").decode().splitlines()[:-1]
    assert [line.split()[:2] for line in lines] == [["前", "b"], *([word] * 2 for word in words if word.strip())]
    # The second column begins where it begins in every line, in columns of the terminal.
    starts = {columns(line[: len(re.match(r"\S+\s+", line)[0])]) for line in lines}
    assert starts == {columns("熊本城") + 2}


def test_latex_escapes_everything() -> None:
    source = render(PAIRS["hostile"], ".tex").decode()
    body = source.split(r"\toprule")[1]
    for bare in (r"(?<!\\)\$100", r"(?<!\\)#1", r"(?<!\\)_under", r"50(?<!\\)%"):
        assert not re.search(bare, body), bare
    assert r"\textbackslash{}" in body
    boxes = re.findall(r"\\attnword\{([0-9A-F]{6})\}\{([0-9A-F]{6})\}", source)
    # A long word is several boxes.
    assert len(boxes) >= len(PAIRS["hostile"].left.result.words) * 2


def test_many_pairs_are_one_table_and_their_text_the_summaries() -> None:
    many = Comparisons((comparison(attack="swap", task="one"), comparison("a b", "a c d", attack="typo")))
    rows = list(csv.DictReader(io.StringIO(render(many, ".csv").decode())))
    assert [(row["pair"], row["task"], row["attack"]) for row in rows] == (
        [("1", "one", "swap")] * len(many.pairs[0].pairs) + [("2", "", "typo")] * len(many.pairs[1].pairs)
    )
    assert rows[0]["left"] == rows[0]["right"] == "the"
    text = render(many, ".txt").decode()
    assert [line.split()[0] for line in text.split("\n\n")[0].splitlines()] == ["attack", "swap", "typo", "all"]
