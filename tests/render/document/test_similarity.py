"""The similarity of two texts as plain text."""

from drawn_results import similar

from attnscope.render import render


def test_the_text_has_the_strongest_pairs_and_the_map() -> None:
    lines = render(similar("a castle on the hill", "the fortress"), ".txt").decode().splitlines()
    assert lines[0] == "Why two texts are similar: cosine similarity 0.5"
    assert "left    right     score" in lines
    assert lines[lines.index("left    right     score") + 1] == "hill    fortress  0.4"
    assert lines[-1] == "hill    0.344   0.400"


def test_a_wide_map_is_left_out() -> None:
    text = render(similar("a b", "word " * 40), ".txt").decode()
    assert max(map(len, text.splitlines()[8:])) < 60


def test_tables() -> None:
    one = similar("a castle", "the fortress")
    assert render(one, ".csv").decode().splitlines()[0].strip("\ufeff") == "left,right,left_start,right_start,score"
    assert "| castle | fortress |" in " ".join(render(one, ".md").decode().split())
