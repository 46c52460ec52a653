"""`attnscope evaluate`, on a tiny model in a folder."""

import json
from pathlib import Path

import pytest
from command_line import Run

from attnscope.cli.evaluate import samples_of
from attnscope.errors import InputError, OutputError
from attnscope.results.evaluation import Evaluation

LABELS = ("--label", " c", "--label", " x")


def test_evaluate_goes_on_and_draws_rows(run_tiny: Run, tmp_path: Path) -> None:
    texts, rows = tmp_path / "texts.txt", tmp_path / "rows.jsonl"
    texts.write_text("a b c d\n\nc d e f g\n")
    asked = (
        "evaluate",
        str(texts),
        "--method",
        "gradient",
        "--method",
        "occlusion:width=2",
        "--metric",
        "aopc",
        *LABELS,
    )
    first = run_tiny(*asked, "--rows", str(rows)).stdout
    assert "occlusion (width=2)" in first
    assert "random" in first
    stamp = rows.read_text()
    assert run_tiny(*asked, "--rows", str(rows)).stdout == first
    assert rows.read_text() == stamp, "nothing was left to do"
    for suffix in ("html", "png", "tex", "csv", "json", "jsonl"):
        run_tiny("evaluate", str(rows), "-o", str(tmp_path / f"found.{suffix}"), model=False)
    assert Evaluation.load(tmp_path / "found.jsonl").texts == 2
    run_tiny("render", str(rows), "-o", str(tmp_path / "drawn.html"), model=False)


def test_samples_say_what_is_asked(run_tiny: Run, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text(json.dumps({"text": "a b c d e", "target": " c", "within": [2, 7], "human": [[4, 5, 1.0]]}) + "\n")
    found = json.loads(
        run_tiny("evaluate", str(texts), "--method", "gradient", "--metric", "human_overlap", "--json").stdout
    )
    assert found["rows"][0]["words"] == ["b", "c", "d"]
    texts.write_text("nothing\n")
    with pytest.raises(InputError, match=r"line 1 of .* is not JSON"):
        run_tiny("evaluate", str(texts))


def test_a_line_separator_in_a_text_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text(json.dumps({"text": "a\u2028b\x85c"}, ensure_ascii=False) + "\n", "utf-8")
    assert [sample.text for sample in samples_of(path)] == ["a\u2028b\x85c"]


def test_an_output_that_cannot_be_written_is_refused_first(run_tiny: Run, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        run_tiny("evaluate", "none.txt", "-o", str(tmp_path / "no" / "x.html"))
