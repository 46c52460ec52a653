"""`attnscope head-effects`, on a tiny model in a folder."""

import json
from pathlib import Path

import pytest
from command_line import Run

from attnscope.errors import InputError


@pytest.mark.parametrize("suffix", ["html", "svg", "csv", "md"])
def test_heads_in_every_form(run_tiny: Run, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"heads.{suffix}"
    run_tiny("head-effects", "a b c d", "--target", " e", "--exact", "3", "-o", str(out))
    assert out.stat().st_size > 100


def test_in_the_terminal_and_as_json(run_tiny: Run) -> None:
    assert "rank correlation" in run_tiny("head-effects", "a b c d", "--target", " e", "--exact", "all").stdout
    shown = run_tiny("head-effects", "a b c d", "--how", "mean", "--exact", "0", "--json").stdout
    assert json.loads(shown)["how"] == "mean"


def test_what_cannot_be_read_is_named(run_tiny: Run) -> None:
    with pytest.raises(InputError, match="give a number"):
        run_tiny("head-effects", "a b c d", "--exact", "many")
    with pytest.raises(InputError, match="leave --pair out"):
        run_tiny("head-effects", "a b c d", "--pair", "e")
