"""Many texts on the command line: tables and lines in, tables and pages out."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from command_line import Run, failed, run
from typer.testing import CliRunner

import attnscope as ats
from attnscope.cli import app


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    path.write_text('\ufeffreview,label,nr\r\n"a b, c", d,r1\r\n"d\ne f",,r2\r\n', "utf-8", newline="")
    return path


COLUMNS = ("--text-column", "review", "--target-column", "label", "--id-column", "nr")


def test_a_table_of_texts_becomes_a_table_of_scores(run_tiny: Run, reviews: Path, tmp_path: Path) -> None:
    for suffix, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet), (".jsonl", None)):
        out = tmp_path / f"out{suffix}"
        run_tiny("explain", "--file", str(reviews), *COLUMNS, "--method", "deletion", "-o", str(out))
        table = read(out) if read else pd.DataFrame(map(json.loads, out.read_text("utf-8").splitlines()))
        assert table["id"].tolist() == ["r1"] * 4 + ["r2"] * 3
        assert table["explained"].unique().tolist() == ["log-probability of ' d'", table["explained"].iloc[-1]]
        assert not list(tmp_path.glob("*.part"))


def test_one_bad_text_is_a_row_and_the_exit_code_says_so(folder: str, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"text": ""}\n{"text": "a b", "target": " c", "id": 7}\n"d e"\n', "utf-8")
    done = run("gradient", "-m", folder, "-f", str(tmp_path / "t.jsonl"), "-o", str(tmp_path / "o.csv"))
    assert done.returncode == 1
    assert b"1 of 3 texts failed" in done.stderr
    rows = list(csv.DictReader((tmp_path / "o.csv").read_text("utf-8").splitlines()))
    assert [(row["number"], row["word"]) for row in rows] == [("0", ""), ("1", "a"), ("1", "b"), ("2", "d"), ("2", "e")]
    assert rows[0]["error"].startswith("TextError: the text is empty")
    assert rows[1]["id"] == "7"
    shown = run("explain", "-m", folder, "-f", str(tmp_path / "t.jsonl"), "--json").stdout.decode().splitlines()
    assert ["error" in json.loads(line) for line in shown] == [True, False, False]
    assert ats.Attribution.from_json(shown[1]).text == "a b"


def test_a_table_has_one_method_by_its_longest_text(run_tiny: Run, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text(f"a b c\n{'a b c d ' * 5}\n")
    asked = ("explain", "--file", str(tmp_path / "lines.txt"), "--lines", "--target", " c", "--json")
    for budget, method in (("8", "mask_gradient"), ("exact", "deletion")):
        lines = run_tiny(*asked, "--set", f"budget={budget}").stdout.splitlines()
        assert [ats.Attribution.from_json(line).method for line in lines] == [method] * 2


def test_lines_become_pages(run_tiny: Run, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("a b\r\n\nc d\n")
    out = tmp_path / "pages"
    run_tiny("attention", "--file", str(tmp_path / "lines.txt"), "--lines", "--dark", "-o", f"{out}/")
    assert sorted(path.name for path in out.iterdir()) == ["0.html", "1.html", "index.html"]
    assert run_tiny("flow", "--file", str(tmp_path / "lines.txt"), "--lines").stdout.count("— text") == 2


def test_many_texts_need_a_command_for_them(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text\na\n")
    assert "one text" in failed("maps", "-f", str(tmp_path / "t.csv"))
    assert "give one of them" in failed("explain", "a", "-f", str(tmp_path / "t.csv"))
    assert "no single .html" in failed("explain", "-f", str(tmp_path / "t.csv"), "-o", str(tmp_path / "x.html"))


def test_what_is_done_is_kept_when_it_is_stopped(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first text is written alone, so even a short table that takes long is not lost."""
    (tmp_path / "t.txt").write_text("a b\nc d\ne f\n")
    explain = ats.explain

    def stopped(model: ats.Model, texts: list[str], *arguments: object, **given: object) -> object:
        if "e f" in texts:
            raise KeyboardInterrupt
        return explain(model, texts, *arguments, **given)

    monkeypatch.setattr(ats, "explain", stopped)
    done = CliRunner().invoke(
        app, ["explain", "-m", folder, "-f", str(tmp_path / "t.txt"), "--lines", "-o", str(tmp_path / "o.csv")]
    )
    assert done.exit_code != 0
    assert not (tmp_path / "o.csv").exists()
    assert len((tmp_path / "o.csv.part").read_text().splitlines()) == 3
    assert "o.csv.part" in done.stderr
