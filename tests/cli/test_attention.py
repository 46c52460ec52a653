"""`attnscope attention`."""

from pathlib import Path

import pytest
from command_line import TEXT, run

import attnscope as ats


@pytest.mark.parametrize("suffix", ["html", "png", "svg", "pdf", "json", "txt"])
def test_the_suffix_picks_the_renderer(suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"out.{suffix}"
    done = run("attention", TEXT, "--layer", "12", "--head", "3", "--query", "castle", "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert out.stat().st_size > 100
    assert [p.name for p in tmp_path.iterdir()] == [out.name]


def test_json_equals_the_library(smollm2: ats.Model) -> None:
    done = run("attention", TEXT, "--layer", "mean", "--head", "max", "--query", "-2", "--json")
    ours = ats.Attribution.from_json(done.stdout.decode())
    theirs = ats.attention(smollm2, TEXT, layer="mean", head="max", query=-2)
    assert ours.scores == pytest.approx(theirs.scores, abs=1e-6)
    assert ours.asked.options["head"] == "max"
