"""The text of a figure as lines, in visual order."""

import pytest
from drawn_results import ARABIC, RESULTS, result

from attnscope.render.content.line_breaking import lines
from attnscope.render.content.pieces import columns


def _texts(text: str, width: int, pattern: str = r"\w+|[^\w\s]") -> list[str]:
    return [line.text for line in lines(result(text, pattern=pattern), width)]


def test_lines_break_between_words_and_at_the_sources_breaks() -> None:
    assert _texts("one two, three\nfour", 9) == ["one two,", "three", "four"]
    assert _texts("a\r\nb\rc\u2028d\n\ne", 9, "[a-z]") == ["a", "b", "c", "d", "", "e"]
    assert _texts("  indented text", 10) == ["  indented", "text"]


def test_a_long_word_is_broken_anywhere() -> None:
    assert _texts("ab " + "x" * 25, 10) == ["ab", "x" * 10, "x" * 10, "x" * 5]
    assert _texts("語" * 12, 10) == ["語" * 5, "語" * 5, "語" * 2]


def test_east_asian_characters_count_double_and_punctuation_never_leads() -> None:
    assert _texts("吾輩は猫。犬", 8, "吾輩|は|猫|。|犬") == ["吾輩は", "猫。犬"]


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("width", [2, 7, 40])
def test_no_line_is_too_wide_and_no_character_is_lost(name: str, width: int) -> None:
    made = lines(RESULTS[name], width)
    assert all(columns(line.text) <= width or not line.text.strip() for line in made)
    drawn = {run.word for line in made for run in line.runs} - {None}
    blank = {i for i, w in enumerate(RESULTS[name].words) if w.text.startswith("<|")}
    assert drawn == set(range(len(RESULTS[name].words))) - blank


def test_right_to_left_lays_words_from_the_right() -> None:
    (line,) = lines(result("אב גד (12) xy zw הו", pattern=r"\w+"), 80)
    assert line.right_to_left
    assert line.text == "הו xy zw (12) גד אב"
    (line,) = lines(result("xy אב גד zw", pattern=r"\w+"), 80)
    assert not line.right_to_left
    assert line.text == "xy גד אב zw"
    assert all(line.right_to_left for line in lines(result(ARABIC), 30))
    (line,) = lines(result("xy אב 1,923 גד 50% zw", pattern=r"\S+"), 80)
    assert line.text == "xy 50% גד 1,923 אב zw"
