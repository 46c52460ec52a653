"""`attnscope cite`, on a tiny model in a folder."""

import json
from pathlib import Path

import pytest
from command_line import Run

from attnscope.cli.tables.cite import passages_of
from attnscope.errors import InputError
from attnscope.results.base import load_result


def test_cite_prints_saves_and_draws(run_tiny: Run, tmp_path: Path) -> None:
    passages = tmp_path / "passages.jsonl"
    passages.write_text(json.dumps({"text": "a b c", "title": "T", "id": "one"}) + '\n"d e"\n')
    asked = ("cite", "x y", "--passages", str(passages), "--answer", "m n", "--depth", "source")
    printed = run_tiny(*asked).stdout
    assert "[one] T" in printed
    assert "4 passes" in printed
    found = json.loads(run_tiny(*asked, "--json").stdout)
    assert [source["name"] for source in found["sources"]] == ["one", "2"]
    run_tiny(*asked, "-o", str(tmp_path / "x.json"))
    assert load_result(tmp_path / "x.json").to_dict() == found
    for suffix in ("html", "md", "csv"):
        run_tiny("render", str(tmp_path / "x.json"), "-o", str(tmp_path / f"x.{suffix}"), model=False)
    more = ("--method", "surrogate", "--masks", "16", "--exact", "0")
    assert "logits" in run_tiny("cite", "x", "--passages", str(passages), "--answer", "m", *more).stdout
    by_gradient = run_tiny("cite", "x", "--passages", str(passages), "--answer", "m", "--method", "gim").stdout
    assert "nats" in by_gradient
    assert "6 passes" in by_gradient, "with all sources, with none, without each, forward and backward"


def test_what_cannot_be_read_is_refused(run_tiny: Run, tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_text("a b\nc\n\n\n d e\n")
    assert passages_of(path) == ["a b\nc", " d e\n"]
    path.write_text(" \n")
    with pytest.raises(InputError, match="has no passages"):
        passages_of(path)
    with pytest.raises(InputError, match="there is no question"):
        run_tiny("cite", "--passages", str(path))
    with pytest.raises(InputError, match="leave the question and --passages out"):
        run_tiny("cite", "x", "--messages", str(path))
