"""What every picture of a citation says."""

from dataclasses import replace
from typing import get_args

import pytest
from drawn_results import citation, estimated

from attnscope.render.content.citation import facts, name_of, notes, totals
from attnscope.results.citation.citation import CitationMethod

METHODS = get_args(CitationMethod)


def test_facts_and_notes() -> None:
    said = dict(facts(estimated(narrow=False)))
    assert said["masks"] == "64"
    assert (said["log-probability with all sources"], said["with none of them"]) == ("-6", "-31.25")
    assert any("Intervals" in note for note in notes(estimated()))
    assert any("wider than was asked" in note for note in notes(estimated(narrow=False)))
    assert not any("Intervals" in note for note in notes(citation()))
    assert "50% of its largest" in notes(citation())[1]


@pytest.mark.parametrize("method", METHODS)
def test_the_first_note_says_what_this_methods_scores_are(method: str) -> None:
    said = notes(replace(citation(), method=method))[0]
    others = {notes(replace(citation(), method=one))[0] for one in METHODS if one != method}
    assert said not in others
    assert "the statement's" in said or "a statement's" in said


def test_names_and_totals() -> None:
    assert (name_of(citation(), 0), name_of(citation(), 1)) == ("1", "2 A title")
    assert totals(citation())[:2] == [13.1, 7.05]
