"""Evaluations as CSV, LaTeX and plain text."""

import csv
import io
from pathlib import Path

import pytest
from drawn_results import (
    evaluation,
)

from attnscope.render import RENDERERS, render
from attnscope.results.evaluation import Evaluation


@pytest.mark.parametrize("suffix", RENDERERS[Evaluation])
def test_every_renderer_draws_an_evaluation(suffix: str, tmp_path: Path) -> None:
    drawn = evaluation()
    once, again = (render(drawn, suffix) for _ in range(2))
    assert once == again
    if suffix == ".jsonl":
        (tmp_path / "rows.jsonl").write_bytes(once)
        assert Evaluation.load(tmp_path / "rows.jsonl") == drawn
    if suffix == ".txt":
        assert "deletion    0.3" in once.decode()
        assert "* [" in once.decode()


def test_csv_has_a_row_for_each_method_and_metric() -> None:
    drawn = evaluation()
    rows = list(csv.DictReader(io.StringIO(render(drawn, ".csv").decode())))
    standings = [standing for metric in drawn.metrics for standing in drawn.standings(metric)]
    assert [(row["method"], float(row["mean"])) for row in rows] == [(s.method, s.mean) for s in standings]
    low = [float(row["difference_low"]) for row in rows]
    assert low == pytest.approx([standing.difference[1] for standing in standings], nan_ok=True)
    assert {row["metric"] for row in rows} == {"area", "fall"}


def test_latex_has_the_best_in_bold_and_no_markup_of_names() -> None:
    source = render(evaluation(), ".tex").decode()
    rows = {line.split(" & ")[0]: line for line in source.splitlines() if line.endswith(r"\\")}
    assert [name for name, line in rows.items() if r"\textbf" in line] == ["deletion"]
    assert rows["deletion"].count(r"\textbf") == 2
    assert r"area $\downarrow$ & fall $\uparrow$" in rows["method"]
    assert r"x\textless{}i\textgreater{}" in rows
