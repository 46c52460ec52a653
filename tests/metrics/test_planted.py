"""The metrics themselves against a model whose answer is known: one word decides, and every order of words is tried."""

from itertools import permutations

import numpy as np
import pytest
import torch
from planted import CopyBack, copy_tokenizer

import attnscope as ats
from attnscope.metrics import METRICS
from attnscope.metrics.question import Again, Case
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.targets.label_probabilities import choices
from attnscope.studies.evaluate import answered
from attnscope.studies.probe import Probe

TEXT = "a b c d e f"
CUE = 2  # the copy model reads three places before the end
PERFECT = np.eye(6)[CUE]


@pytest.fixture(scope="module")
def probe() -> Probe:
    net = CopyBack.make(back=3)
    with torch.no_grad():
        net.lm_head.weight.mul_(8)
    model = ats.Model(net, copy_tokenizer())
    (encoded,) = encoded_texts(model, [TEXT])
    asked = choices(model, encoded, [" c"])
    return Probe(asked, asked.encoded.words, 0, "pad")


def value(probe: Probe, metric: str, case: Case) -> float:
    return answered({"x": case}, [metric], probe, {})["x", metric]


BY_ORDER = [
    "comprehensiveness", "sufficiency", "aopc", "normalised_aopc", "deletion_area", "insertion_area", "log_odds",
]  # fmt: skip


@pytest.mark.parametrize("metric", BY_ORDER)
def test_the_perfect_explanation_is_best_and_its_reverse_worst_of_all_orders(probe: Probe, metric: str) -> None:
    sign = 1 if METRICS[metric].better == "higher" else -1
    every = [sign * value(probe, metric, Case(np.array(order, float), True)) for order in permutations(range(6))]
    assert sign * value(probe, metric, Case(PERFECT, True)) == pytest.approx(max(every))
    assert sign * value(probe, metric, Case(-PERFECT, True)) == pytest.approx(min(every))
    assert max(every) - min(every) > 0.3


def test_the_best_values_are_those_on_paper(probe: Probe) -> None:
    with_it, without = np.exp(8) / (np.exp(8) + 31), 1 / (np.exp(8) + 31)
    fall = with_it - without
    best = {
        "comprehensiveness": fall,
        "sufficiency": 0.0,
        "aopc": fall * 6 / 7,
        "normalised_aopc": 1.0,
        "deletion_area": without + fall / 12,
        "insertion_area": with_it - fall / 12,
        "log_odds": np.log(without / with_it),
        "soft_comprehensiveness": 1.0,
        "soft_sufficiency": 1.0,
    }
    worst = best | {
        "comprehensiveness": 0.0,
        "sufficiency": fall,
        "aopc": fall / 7,
        "normalised_aopc": 0.0,
        "log_odds": 0.0,
        "soft_comprehensiveness": 0.0,
        "soft_sufficiency": 0.0,
    }
    for metric, expected in best.items():
        assert value(probe, metric, Case(PERFECT, True)) == pytest.approx(expected, abs=1e-5), metric
    for metric in worst.keys() - {"deletion_area", "insertion_area"}:
        assert value(probe, metric, Case(-PERFECT, True)) == pytest.approx(worst[metric], abs=1e-5), metric


def test_completeness_error(probe: Probe) -> None:
    change = np.log((np.exp(8) + 31) / 1 * np.exp(8) / (np.exp(8) + 31))
    assert value(probe, "completeness_error", Case(PERFECT * change, True)) == pytest.approx(0, abs=1e-5)
    assert value(probe, "completeness_error", Case(-PERFECT * change, True)) == pytest.approx(2, abs=1e-5)
    assert np.isnan(value(probe, "completeness_error", Case(PERFECT, False)))


def test_agreement_with_people(probe: Probe) -> None:
    human = np.array([0, 0, 3.0, 1.0, 0, 0])
    perfect = Case(np.array([0.1, 0.2, -0.9, 0.8, 0.15, 0.05]), True, human)
    reverse = Case(1 - np.abs(perfect.scores), False, human)
    assert value(probe, "human_precision", perfect) == 1.0
    assert value(probe, "human_overlap", perfect) == 1.0
    assert value(probe, "human_overlap", reverse) == 0.0
    # By hand: the marked words come fifth and sixth.
    assert value(probe, "human_precision", reverse) == pytest.approx((1 / 5 + 2 / 6) / 2)
    assert value(probe, "human_correlation", Case(human + 1, False, human)) == pytest.approx(1)
    assert value(probe, "human_correlation", Case(-human - 1, False, human)) == pytest.approx(1), "sizes count"
    assert value(probe, "human_correlation", Case(5 - human, False, human)) == pytest.approx(-1)
    for metric in ("human_correlation", "human_precision", "human_overlap"):
        assert np.isnan(value(probe, metric, Case(PERFECT, True))), "nobody was asked"
    assert np.isnan(value(probe, "human_precision", Case(PERFECT, True, np.zeros(6)))), "no word is marked"


@pytest.mark.parametrize("seed", range(4))
def test_people_metrics_are_scipys_and_the_textbooks(probe: Probe, seed: int) -> None:
    from scipy.stats import spearmanr

    generator = np.random.default_rng(seed)
    scores, human = generator.normal(size=12), np.maximum(0, generator.normal(size=12))
    case = Case(scores, True, human)
    ours = METRICS["human_correlation"].run(case)
    assert ours == pytest.approx(spearmanr(np.abs(scores), human).statistic)
    order = np.argsort(-np.abs(scores))
    hits = [human[i] > 0 for i in order]
    precision = np.mean([np.mean(hits[: k + 1]) for k in range(12) if hits[k]])
    assert METRICS["human_precision"].run(case) == pytest.approx(precision)


def test_sensitivity_and_randomisation_by_hand(probe: Probe) -> None:
    case = Case(np.array([3.0, 4.0, 0, 0, 0, 0]), True)
    moved = {0: case.scores, 1: case.scores + np.eye(6)[0], 2: case.scores * 1.1}

    def again(question: Again) -> np.ndarray:
        return moved[question.seed] if question.model == "nearby" else np.array([0.0, 1, 2, 3, 4, 5])

    found = answered({"x": case}, ["sensitivity", "randomisation"], probe, {"x": again})
    assert found["x", "sensitivity"] == pytest.approx(1 / 5)
    assert 0 <= found["x", "randomisation"] <= 1
    same = answered({"x": case}, ["sensitivity", "randomisation"], probe, {"x": lambda _question: case.scores})
    assert (same["x", "sensitivity"], same["x", "randomisation"]) == (0.0, pytest.approx(1.0))


def test_a_method_that_finds_the_cue_wins(probe: Probe) -> None:
    found = ats.evaluate(
        probe.choices.model, [TEXT, "h i j k l m"], ["deletion", "gradient_x_input"], BY_ORDER, target=" c", way="pad"
    )
    assert found.texts == 2
    row = next(row for row in found.rows if row.method == "deletion" and row.number == 0)
    assert row.values["normalised_aopc"] == pytest.approx(1)


def test_every_metric_has_direction_and_paper_in_its_docstring() -> None:
    for name, metric in METRICS.items():
        document = metric.run.__doc__ or ""
        assert f"{metric.better} is better" in document, name
        assert metric.paper in document, name
        assert metric.run.__name__ == metric.run.__module__.split(".")[-1] == name
