"""`attnscope edge-effects`, on a tiny model in a folder."""

import json
from pathlib import Path

import pytest
from command_line import Run


@pytest.mark.parametrize("suffix", ["html", "svg", "txt"])
def test_edges_in_every_form(run_tiny: Run, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"edges.{suffix}"
    run_tiny("edge-effects", "a b c d", "--target", " e", "--layer-window", "2", "-o", str(out))
    assert out.stat().st_size > 100


def test_words_and_query_can_be_chosen(run_tiny: Run) -> None:
    shown = run_tiny(
        "edge-effects", "a b c d", "--target", " e", "--word", "b", "--word", "0", "--query=-1", "--keep-rest", "--json"
    ).stdout
    data = json.loads(shown)
    assert data["words"] == ["b", "a"]
    assert data["queries"] == "“d”"
    assert data["renormalise"] is False
