"""The metrics of faithfulness, on a model whose answer is known: one word decides, and every order of words is tried.

Where no model is needed, a table of probabilities stands in for it.
"""

from collections.abc import Callable, Mapping
from itertools import permutations

import numpy as np
import pytest

import attnscope as ats
from attnscope.metrics.faithfulness import (
    area_under,
    deletion_curve,
    insertion_curve,
    lds,
    normalised_aopc,
    removal_path,
    strongest_words,
    strongest_words_of_bins,
    top_drop,
)
from attnscope.metrics.query import Explanation, LogProbability, WordSet
from attnscope.metrics.table import METRICS
from attnscope.studies.perturbed_text import PerturbedText

Value = Callable[[str, Explanation], float]

TEXT = "a b c d e f"
CUE = 2  # the copy model reads three places before the end
PERFECT = np.eye(6)[CUE]
BY_ORDER = [
    "comprehensiveness", "sufficiency", "aopc", "normalised_aopc", "deletion_area", "insertion_area", "log_odds",
    "top_drop",
]  # fmt: skip


@pytest.mark.parametrize("metric", BY_ORDER)
def test_the_perfect_explanation_is_best_and_its_reverse_worst_of_all_orders(value: Value, metric: str) -> None:
    sign = 1 if METRICS[metric].better == "higher" else -1
    every = [sign * value(metric, Explanation(np.array(order, float), True)) for order in permutations(range(6))]
    assert sign * value(metric, Explanation(PERFECT, True)) == pytest.approx(max(every))
    assert sign * value(metric, Explanation(-PERFECT, True)) == pytest.approx(min(every))
    assert max(every) - min(every) > 0.3


def test_the_best_values_are_those_on_paper(value: Value) -> None:
    with_it, without = np.exp(8) / (np.exp(8) + 31), 1 / (np.exp(8) + 31)
    drop = with_it - without
    best = {
        "comprehensiveness": drop,
        "sufficiency": 0.0,
        "aopc": drop * 6 / 7,
        "normalised_aopc": 1.0,
        "deletion_area": without + drop / 12,
        "insertion_area": with_it - drop / 12,
        "log_odds": np.log(without / with_it),
        "top_drop": np.log(with_it / without),
        "lds": 1.0,
        "soft_comprehensiveness": 1.0,
        "soft_sufficiency": 1.0,
    }
    worst = {
        "comprehensiveness": 0.0,
        "sufficiency": drop,
        "aopc": drop / 7,
        "normalised_aopc": 0.0,
        "log_odds": 0.0,
        "top_drop": 0.0,
        "soft_comprehensiveness": 0.0,
        "soft_sufficiency": 0.0,
    }
    for metric, expected in best.items():
        assert value(metric, Explanation(PERFECT, True)) == pytest.approx(expected, abs=1e-5), metric
    for metric, expected in worst.items():
        assert value(metric, Explanation(-PERFECT, True)) == pytest.approx(expected, abs=1e-5), metric


def answered(generator: object, probability: Callable[[WordSet], float]) -> object:
    """What the generator returns when `probability` is the model: of the text without a set of words."""
    answer = None
    while True:
        try:
            query = generator.send(answer)  # type: ignore[attr-defined]
        except StopIteration as end:
            return end.value
        assert isinstance(query, LogProbability)
        answer = np.log([probability(words) for words in query.without])


def test_lds_of_what_adds_up() -> None:
    """Where every word adds its own part to the log-probability, the parts predict every set, and no order else."""
    parts = np.array([0.5, -0.31, 0.07, 0.93, 0.123])

    def probability(without: WordSet) -> float:
        return float(np.exp(parts[[i for i in range(5) if i not in without]].sum() - 3))

    assert answered(lds(Explanation(parts, True)), probability) == pytest.approx(1)
    assert answered(lds(Explanation(-parts, True)), probability) == pytest.approx(-1)
    assert -1 < float(str(answered(lds(Explanation(np.abs(parts), False)), probability))) < 0.9
    assert answered(lds(Explanation(np.ones(5) * 0, True)), probability) == 0
    assert np.isnan(float(str(answered(lds(Explanation(parts, True)), lambda _without: 0.5))))


def test_top_drop_of_what_adds_up() -> None:
    def probability(without: WordSet) -> float:
        return float(np.exp(-sum(i + 1 for i in without)))

    best = Explanation(np.arange(6.0), True)
    assert answered(top_drop(best), probability) == pytest.approx((6 + 15 + 20) / 3)
    assert answered(top_drop(Explanation(np.arange(3.0), True)), probability) == pytest.approx(3), "k = 1 alone"
    assert answered(top_drop(Explanation(np.ones(1), True)), probability) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(5))
def test_the_bounds_of_normalised_aopc_are_exact_for_three_words(seed: int) -> None:
    generator = np.random.default_rng(seed)
    table: Mapping[WordSet, float] = {
        frozenset(i for i in range(3) if bits >> i & 1): float(generator.uniform(0.05, 0.95)) for bits in range(8)
    }
    aopcs = {
        order: np.mean([table[frozenset()] - table[frozenset(order[:count])] for count in range(4)])
        for order in permutations(range(3))
    }
    low, high = min(aopcs.values()), max(aopcs.values())
    for order, aopc in aopcs.items():
        scores = np.zeros(3)
        scores[list(order)] = [3, 2, 1]
        found = answered(normalised_aopc(Explanation(scores, True)), table.__getitem__)
        assert found == pytest.approx((aopc - low) / (high - low))


def test_normalised_aopc_is_not_defined_where_no_order_changes_anything() -> None:
    assert np.isnan(answered(normalised_aopc(Explanation(np.arange(3.0), True)), lambda _words: 0.5))  # type: ignore[arg-type]


def test_curves_take_the_strongest_words_away_and_put_them_in() -> None:
    explanation = Explanation(np.array([0.1, 0.3, 0.2]), True)
    weight = [0.1, 0.5, 0.2]

    def probability(without: WordSet) -> float:
        return 0.1 + sum(weight[word] for word in {0, 1, 2} - without)

    assert answered(deletion_curve(explanation), probability) == pytest.approx([0.9, 0.4, 0.2, 0.1])
    assert answered(insertion_curve(explanation), probability) == pytest.approx([0.1, 0.6, 0.8, 0.9])


def test_the_strongest_words_of_a_share_are_rounded_up_to_at_least_one() -> None:
    explanation = Explanation(np.arange(30.0), False)
    assert strongest_words(explanation, 0.01) == {29}
    assert strongest_words(explanation, 0.1) == {29, 28, 27}
    assert strongest_words(explanation, 0.11) == {29, 28, 27, 26}
    assert len(strongest_words(Explanation(np.arange(100.0), False), 0.07)) == 7, "0.07 * 100 is a little over 7"
    assert [len(words) for words in removal_path(explanation)] == list(range(31))


def test_the_area_under_a_curve_is_by_trapezoids() -> None:
    assert area_under(np.array([1.0, 0.0, 0.0])) == 0.25
    assert area_under(np.array([1.0, 1.0])) == 1.0


def test_softened_words_that_all_score_the_same_keep_half_of_each(value: Value, planted_text: PerturbedText) -> None:
    value("soft_sufficiency", Explanation(np.full(6, 0.7), True))
    assert (0.5,) * 6 in {query.keep for query in planted_text.softened}


def test_a_method_that_finds_the_cue_wins(planted_text: PerturbedText) -> None:
    found = ats.evaluate(
        planted_text.choices.model,
        [TEXT, "h i j k l m"],
        ["deletion", "gradient_x_input"],
        BY_ORDER,
        target=" c",
        replacement="pad",
    )
    assert found.texts == 2
    row = next(row for row in found.rows if row.method == "deletion" and row.number == 0)
    assert row.values["normalised_aopc"] == pytest.approx(1)


def test_bins_of_the_same_words_count_once() -> None:
    sizes = [len(words) for words in strongest_words_of_bins(Explanation(np.arange(6.0), True))]
    assert sizes == [1, 2, 3]
    assert [len(words) for words in strongest_words_of_bins(Explanation(np.arange(100.0), True))] == [1, 5, 10, 20, 50]


@pytest.mark.parametrize("metric", ["soft_comprehensiveness", "soft_sufficiency"])
def test_larger_scores_take_no_more_of_the_text_away(value: Value, planted_text: PerturbedText, metric: str) -> None:
    for scores in (np.array([0, 0, 1.0, 0, 0, 0]), np.array([1, 1, 0.9, 1, 1, 0]), np.arange(6.0)):
        value(metric, Explanation(scores, True))
    kept = [np.mean(query.keep) for query in planted_text.softened if 0 < sum(query.keep) < 6]
    assert len(kept) >= 3
    np.testing.assert_allclose(kept, 0.5, atol=1e-9)
