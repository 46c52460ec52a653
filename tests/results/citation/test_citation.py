"""A citation as data: what is cited, its file, its tables, its print."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_results import citation, estimated

import attnscope as ats
from attnscope.errors import DamagedFileError
from attnscope.results.citation.citation import Citation, cited_among


def test_statements_are_cited_to_what_they_rely_on_and_else_to_nothing() -> None:
    found = citation()
    assert [found.cited(k) for k in range(3)] == [[0], [1], []]
    assert found.value == -6.0
    assert found.without == -31.25
    assert (found.whole, found.parts(0), found.parts(1)) == ([0, 1, 2], [3, 4], [])
    assert cited_among(np.array([3.0, 4.0, 1.0, 2.0]), [0, 1, 2, 3]) == [1, 0, 3]
    assert cited_among(np.array([-3.0, 0.0]), [0, 1]) == []
    assert cited_among(np.array([1.0]), []) == []


@pytest.mark.parametrize("found", [citation(), estimated(narrow=False)], ids=["exact", "estimated"])
def test_a_file_gives_it_back(found: Citation, tmp_path: Path) -> None:
    found.save(tmp_path / "x.json")
    again = ats.load_result(tmp_path / "x.json")
    assert isinstance(again, Citation)
    assert again.to_json() == found.to_json()
    np.testing.assert_array_equal(again.effects, found.effects)
    assert (again.low is None) == (found.low is None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": [[1.0]]}, "scores is no matrix of 3 statements × 5 sources"),
        ({"low": [[None] * 5] * 3}, "low is no matrix"),
        ({"statements": None}, "'statements' is missing"),
        (
            {"sources": [{"name": "a", "text": "b", "title": "", "level": "word", "start": 0, "parent": 0}]},
            "source 0 is a",
        ),
    ],
)
def test_a_damaged_file_says_what_is_wrong(change: dict[str, Any], message: str) -> None:
    data = json.loads(citation().to_json()) | change
    with pytest.raises(DamagedFileError, match=message):
        Citation.from_dict(data)


def test_tables() -> None:
    table = estimated().columns()
    assert len(table["score"]) == 15
    assert table["cited"].tolist() == [True, *[False] * 5, True, *[False] * 8]
    assert np.isnan(table["effect"]).sum() == 9
    assert table["low"][0] == 12.0
    assert np.isnan(citation().columns()["low"]).all()
    assert citation().columns("statements")["cited"].tolist() == ["1", "2", ""]


def test_the_print_has_marks_and_none_of_these() -> None:
    printed = replace(citation(), answer="x").table()
    assert "Aldo built the castle. [1]" in printed
    assert "It rains. [none of these]" in printed
    assert "[2] A title" in printed
    assert "-6.00 with all sources, -31.25 with none of them; 8 passes" in printed
