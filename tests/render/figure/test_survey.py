"""Bars of the strongest words, with intervals."""

import pytest
from drawn_results import survey_summary

from attnscope.render import render


@pytest.mark.filterwarnings("ignore::attnscope.render.figure.fonts.MissingGlyphWarning")
def test_the_words_of_each_group_are_drawn() -> None:
    drawn = render(survey_summary(), ".svg")
    assert drawn.startswith(b"<?xml")
    assert render(survey_summary(), ".svg", dark=True) != drawn
