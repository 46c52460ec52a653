"""Metrics in rounds: what all of them ask at one time is answered together, and each gets its own answers."""

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import pytest

from attnscope.metrics.query import Explanation, LogProbability, MetricGenerator, ScoresOn
from attnscope.metrics.table import METRICS, Metric
from attnscope.studies import metric_rounds
from attnscope.studies.metric_rounds import measure


class CountedText:
    """Stands in for a text on a model: the answer to a set of words is how many they are."""

    def __init__(self) -> None:
        self.rounds: list[int] = []

    def answer(self, queries: Sequence[LogProbability]) -> list[np.ndarray]:
        self.rounds.append(len(queries))
        return [np.array([float(len(words)) for words in query.without]) for query in queries]


def asks(times: int) -> Any:
    """A metric that asks so many times, for one more word each time, and sums up what it hears."""

    def metric(_explanation: Explanation) -> MetricGenerator:
        total = 0.0
        for count in range(1, times + 1):
            (answer,) = yield LogProbability((frozenset(range(count)),))
            total += float(answer)
        return total

    return metric


def rescores(_explanation: Explanation) -> MetricGenerator:
    first = yield ScoresOn("nearby", 3, 0.5)
    (answer,) = yield LogProbability((frozenset({0, 1}),))
    return float(first.sum() + answer)


@pytest.fixture(autouse=True)
def only_these_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    run = {"once": asks(1), "thrice": asks(3), "rescores": rescores, "plain": lambda e: float(e.scores.max())}
    for name, metric in run.items():
        monkeypatch.setitem(METRICS, name, Metric(metric, "higher", "sanity", "", ""))
    monkeypatch.setattr(metric_rounds, "CURVES", {"two": curve})


def curve(explanation: Explanation) -> Generator[LogProbability, np.ndarray, np.ndarray]:
    return (yield LogProbability((frozenset(), explanation.all_words)))


EXPLANATIONS = {
    "first": Explanation(np.array([1.0, 2.0]), True),
    "second": Explanation(np.array([5.0, 4.0, 3.0]), True),
}


def test_each_metric_of_each_explanation_gets_its_answers() -> None:
    rescored: list[tuple[str, ScoresOn]] = []

    def rescore(name: str) -> metric_rounds.Rescore:
        return lambda query: rescored.append((name, query)) or EXPLANATIONS[name].scores

    values = measure(
        EXPLANATIONS,
        ["once", "thrice", "rescores", "plain"],
        CountedText(),  # type: ignore[arg-type]
        {name: rescore(name) for name in EXPLANATIONS},
    )
    assert {key: value for key, value in values.items() if key[1] != "curve two"} == {
        ("first", "once"): 1.0,
        ("first", "thrice"): 6.0,
        ("first", "rescores"): 5.0,
        ("first", "plain"): 2.0,
        ("second", "once"): 1.0,
        ("second", "thrice"): 6.0,
        ("second", "rescores"): 14.0,
        ("second", "plain"): 5.0,
    }
    assert values["first", "curve two"].tolist() == [0, 2]
    assert values["second", "curve two"].tolist() == [0, 3]
    assert rescored == [("first", ScoresOn("nearby", 3, 0.5)), ("second", ScoresOn("nearby", 3, 0.5))]


def test_there_are_as_many_rounds_as_the_longest_metric_asks() -> None:
    text = CountedText()
    measure(EXPLANATIONS, ["once", "thrice"], text, {})  # type: ignore[arg-type]
    assert text.rounds == [6, 2, 2], "once, thrice and the curve of both; then thrice of both, twice"


def test_without_explanations_nothing_is_asked() -> None:
    text = CountedText()
    assert measure({}, ["once"], text, {}) == {}  # type: ignore[arg-type]
    assert text.rounds == []
