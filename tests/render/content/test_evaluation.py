"""What every picture of an evaluation says."""

from dataclasses import replace

from drawn_results import evaluation

from attnscope.render.content.evaluation import LINES, cell, facts, plots, ranked
from attnscope.results.evaluation import YARDSTICK


def test_methods_stand_by_their_mean_place_and_the_best_stand_out() -> None:
    drawn = evaluation()
    assert ranked(drawn) == ["deletion", "x<i>", YARDSTICK]
    worst_first = {"area": "higher", "fall": "lower"}
    metrics = {name: {**about, "better": worst_first[name]} for name, about in drawn.settings["metrics"].items()}
    assert ranked(replace(drawn, settings={**drawn.settings, "metrics": metrics})) == [YARDSTICK, "x<i>", "deletion"]


def test_only_faithfulness_ranks() -> None:
    drawn = evaluation()
    metrics = dict(drawn.settings["metrics"])
    metrics["area"] = {**metrics["area"], "better": "higher"}  # it would put the methods the other way round
    metrics["area"] = {**metrics["area"], "asks": "other"}
    assert ranked(replace(drawn, settings={**drawn.settings, "metrics": metrics})) == ["deletion", "x<i>", YARDSTICK]


def test_a_curve_says_which_way_is_good() -> None:
    assert [(plot.name, plot.better, plot.best) for plot in plots(evaluation())] == [
        ("deletion", "lower", ("deletion", "x<i>")),
        ("insertion", "higher", ("deletion", "x<i>")),
    ]


def test_no_more_methods_stand_out_than_there_are_colours() -> None:
    drawn = evaluation()
    more = tuple(replace(row, method=f"{row.method} {i}") for i in range(4) for row in drawn.rows)
    assert [len(plot.best) for plot in plots(replace(drawn, rows=more))] == [len(LINES[False])] * 2
    assert len(LINES[True]) == len(LINES[False])


def test_a_cell_has_the_mean_its_mark_and_its_interval() -> None:
    standing = evaluation().standings("fall")[0]
    assert (standing.method, standing.verdict) == ("deletion", "better")
    assert cell(standing) == (f"{standing.mean:.3f}▲", f"{standing.low:.3f} to {standing.high:.3f}")


def test_facts() -> None:
    assert dict(facts(evaluation())) == {
        "model": "tests/<tiny>", "texts": "12", "methods": "3", "words taken away by": "delete",
        "model is right on": "100.0%",
    }  # fmt: skip
