"""Effects of edges: their files and tables."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_results import edge_effects

import attnscope as ats
from attnscope.errors import DamagedFileError, NonFiniteError


def test_saved_effects_are_the_same_effects(tmp_path: Path) -> None:
    made = edge_effects(2)
    made.save(tmp_path / "edges.json")
    again = ats.load_result(tmp_path / "edges.json")
    assert isinstance(again, ats.EdgeEffects)
    assert again.to_json() == made.to_json()


def test_means_and_intervals_are_over_the_texts() -> None:
    made = edge_effects(2)
    assert made.effect[0].tolist() == [1.0, -0.25, 0.0]
    low, high = made.intervals()
    assert (low[0, 0], high[0, 0]) == (0.5, 1.5)
    assert made.relative[0, 0] == 2.0
    table = made.columns()
    assert table["word"].tolist()[:3] == ["castle"] * 3
    assert table["layer"].tolist()[:3] == [0, 1, 3]
    assert "each column: the edges cut in 2 layers around this one" in made.table()
    assert "+1" in made.table()


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(NonFiniteError):
        replace(edge_effects(), effects=np.full((1, 2, 3), np.inf))
    data = json.loads(edge_effects().to_json())
    with pytest.raises(DamagedFileError):
        ats.EdgeEffects.from_json(json.dumps(data | {"effects": [[[1.0]]]}))
