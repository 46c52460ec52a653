"""Rows of an evaluation: samples, means and curves by numpy, and files that broke off."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_results import evaluation

from attnscope.errors import DamagedFileError, InputError
from attnscope.results.base import load_result
from attnscope.results.evaluation import Evaluation

RUN = evaluation()


def test_means_and_curves_are_numpys_own() -> None:
    for metric in RUN.metrics:
        for one in RUN.standings(metric):
            values = [row.values[metric] for row in RUN.rows if row.method == one.method]
            assert one.mean == pytest.approx(np.mean(values))
            assert one.low <= one.mean <= one.high
            assert one.count == 12
    curves = np.array([row.curves["deletion"] for row in RUN.rows if row.method == "random"])
    expected = [np.interp(RUN.settings["shares"], np.linspace(0, 1, 4), curve) for curve in curves]
    np.testing.assert_allclose(RUN.curve("random", "deletion")[0], np.mean(expected, 0))
    assert (RUN.methods, RUN.metrics, RUN.texts, RUN.accuracy) == (
        ("deletion", "x<i>", "random"), ("area", "fall"), 12, 1.0,
    )  # fmt: skip
    with pytest.raises(InputError, match="no row has a value of 'size'; there are area, fall"):
        RUN.standings("size")
    with pytest.raises(InputError, match="there is no method 'lime'"):
        RUN.curve("lime", "deletion")


def test_many_tests_leave_room_for_a_small_p() -> None:
    """Of few flips, the smallest p times the number of tests would be above 0.01, however clear the difference."""
    texts, metrics = 20, {f"m{i}": {"better": "higher"} for i in range(40)}
    rows = tuple(
        replace(RUN.rows[0], key=str(text), method=method, values=dict.fromkeys(metrics, value + text / 100), draws={})
        for text in range(texts)
        for method, value in (("a", 1.0), ("b", 1.1), ("c", 1.2), ("random", 0.0))
    )
    run = replace(RUN, settings={**RUN.settings, "metrics": metrics}, rows=rows)
    assert all(one.p < 0.01 for one in run.standings("m0") if one.method != "random")


def test_both_forms_come_back(tmp_path: Path) -> None:
    RUN.save(tmp_path / "rows.jsonl")
    assert Evaluation.load(tmp_path / "rows.jsonl") == RUN
    assert Evaluation.from_json(RUN.to_json()) == RUN
    (tmp_path / "whole.json").write_text(RUN.to_json(), "utf-8")
    assert Evaluation.load(tmp_path / "whole.json") == load_result(tmp_path / "whole.json") == RUN


def test_line_separators_in_a_text_end_no_line(tmp_path: Path) -> None:
    hostile = "a\u2028b\u2029c\x85d\x1ce\ud800"
    run = replace(RUN, rows=tuple(replace(row, words=(hostile, "b", "c")) for row in RUN.rows[:2]))
    run.save(tmp_path / "rows.jsonl")
    assert Evaluation.load(tmp_path / "rows.jsonl") == load_result(tmp_path / "rows.jsonl") == run


def test_a_line_that_a_broken_run_left_half_written_is_left_out(tmp_path: Path) -> None:
    RUN.save(path := tmp_path / "rows.jsonl")
    whole = path.read_text("utf-8")
    path.write_text(whole[:-20], "utf-8")
    assert Evaluation.load(path).rows == load_result(path).rows == RUN.rows[:-1]
    lines = whole.split("\n")
    path.write_text("\n".join([lines[0], lines[1][:-20], *lines[2:]]), "utf-8")
    with pytest.raises(DamagedFileError, match=r"line 2 of .*rows\.jsonl is not a row.*evaluate again"):
        Evaluation.load(path)
    path.write_text(lines[0], "utf-8")
    assert Evaluation.load(path) == load_result(path) == Evaluation(RUN.settings)
    path.write_text("", "utf-8")
    with pytest.raises(DamagedFileError, match="is empty"):
        Evaluation.load(path)


def test_a_value_that_is_no_number_is_damage() -> None:
    head, row, *_ = RUN.to_lines().split("\n")
    broken = json.dumps(json.loads(row) | {"values": {"area": float("nan")}})
    with pytest.raises(DamagedFileError, match=r"line 2 of x\.jsonl is not a row of an evaluation .*finite"):
        Evaluation.from_lines("\n".join([head, broken, row]), "x.jsonl")


def _only(texts: int) -> Evaluation:
    keys = list(dict.fromkeys(row.key for row in RUN.rows))[:texts]
    return replace(RUN, rows=tuple(row for row in RUN.rows if row.key in keys))


def test_few_texts_are_said_to_be_few_and_of_fewer_than_six_nothing_is_tested() -> None:
    assert not RUN.caution
    assert "8 texts are few: take 10 or more" in _only(8).table()
    five = _only(5)
    assert "nothing is tested" in five.table()
    assert all(not one.verdict and np.isnan(one.p) for metric in five.metrics for one in five.standings(metric))
    assert any(not np.isnan(one.p) for one in _only(6).standings(five.metrics[0]))


def test_p_values_are_corrected_for_all_methods_and_metrics_together() -> None:
    larger = []
    for metric in RUN.metrics:
        one = replace(RUN, settings={**RUN.settings, "metrics": {metric: RUN.settings["metrics"][metric]}})
        one = replace(one, rows=tuple(replace(row, values={metric: row.values[metric]}) for row in RUN.rows))
        alone = {standing.method: standing.p for standing in one.standings(metric)}
        larger += [s.p - alone[s.method] for s in RUN.standings(metric) if not np.isnan(s.p)]
    assert min(larger) >= 0
    assert max(larger) > 0


def test_the_spread_of_the_yardstick_is_between_its_orders() -> None:
    drawn = {"area": (0.0, 1.0), "fall": (None, 1.0)}
    rows = tuple(replace(row, draws=drawn) if row.method == "random" else row for row in RUN.rows)
    run = Evaluation.from_json(replace(RUN, rows=rows).to_json())
    assert run.rows == rows
    spreads = {metric: {s.method: s.spread for s in run.standings(metric)} for metric in run.metrics}
    assert spreads["area"].pop("random") == pytest.approx(np.sqrt(0.5))
    assert not any(spreads["area"].values())
    assert spreads["fall"]["random"] == 0
    assert "between random orders" in run.table()
