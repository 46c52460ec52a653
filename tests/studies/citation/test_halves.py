"""Halving against plain deletion: on values that are known, on a planted passage and on a real model."""

from collections.abc import Sequence
from math import ceil, log2

import numpy as np
import pytest
import torch
from planted import CopyBack, copy_tokenizer
from snapshot import forget_all

import attnscope as ats
from attnscope.studies.citation.deletion import effects_of
from attnscope.studies.citation.generated import fact_sets
from attnscope.studies.citation.halves import halves
from attnscope.studies.citation.setup import Setup, setup


class Known:
    """In place of a model: each statement loses what it is said to lose without each source, and more without all."""

    def __init__(self, found: Setup, losses: np.ndarray, together: float = 0.0) -> None:
        self.found, self.losses, self.together = found, losses, together

    def values(self, removed: Sequence[frozenset[int]]) -> torch.Tensor:
        gone = np.array([[part.tokens <= tokens for part in self.found.parts] for tokens in removed], float)
        return torch.tensor(-gone @ self.losses.T - self.together * gone.all(1, keepdims=True))


def known(model: ats.Model, losses: np.ndarray, together: float = 0.0) -> Setup:
    answer = "\n".join("m" for _ in losses)
    passages = ["abcdefgh"[i % 8] for i in range(losses.shape[1])]
    found = setup(model, "x", passages, answer, generate=4, template=None, segments=None, unit=None, within=None)
    assert len(found.token_statement) == len(found.statements) == len(losses)
    found.texts = Known(found, losses, together)  # type: ignore[assignment]
    return found


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("together", [0.0, 5.0])
def test_the_source_that_costs_most_is_found(llama: ats.Model, count: int, together: float) -> None:
    generator = np.random.default_rng(count)
    for best in range(count):
        losses = generator.uniform(-0.05, 0.05, (1, count))
        losses[0, best] = 3
        found = known(llama, losses, together)
        scores, effects = halves(found)
        assert int(scores[0].argmax()) == best
        assert effects[0, best] == pytest.approx(3 + (count == 1) * together)
        assert found.passes <= 2 + ceil(log2(count)) + 2
        measured = ~np.isnan(effects)
        np.testing.assert_array_equal(scores[measured], effects[measured])
        if not together:
            np.testing.assert_allclose(effects[measured], losses[measured], atol=1e-9)
            assert scores.sum() == pytest.approx(losses.sum(), abs=1e-6), "what adds up is shared out in full"


def test_two_halves_that_cost_about_the_same_are_both_measured(llama: ats.Model) -> None:
    losses = np.array([[0.0, 1.0, 0.0, 0.0, 0.0, 1.2, 0.0, 0.0]])
    scores, _ = halves(known(llama, losses))
    assert int(scores[0].argmax()) == 5
    scores, _ = halves(known(llama, losses[:, ::-1].copy()))
    assert int(scores[0].argmax()) == 2


def test_each_statement_has_its_own_search_and_what_sources_do_not_help_is_not_searched(llama: ats.Model) -> None:
    losses = np.zeros((3, 8))
    losses[0, 1], losses[1, 6], losses[2] = 4, 2, 0.05
    found = known(llama, losses)
    scores, effects = halves(found)
    assert scores[:2].argmax(1).tolist() == [1, 6]
    assert effects[0, 6] == pytest.approx(0), "what was left out alone is known of every statement"
    np.testing.assert_allclose(scores[2], 0.05, atol=1e-9)
    assert np.isnan(effects[:, 3]).all()


def test_a_planted_passage_among_nine_is_found() -> None:
    """The model writes what stands five places back: the last passage alone has it."""
    net = CopyBack.make(back=5)
    with torch.no_grad():
        net.lm_head.weight.mul_(8)
    forget_all()
    model = ats.Model(net, copy_tokenizer())
    passages = [*("a b", "h d", "e f", "g i") * 2, "j c l"]
    plain, halved = (ats.cite(model, "x y", passages, "c", depth="source", search=s) for s in ("all", "halves"))
    assert plain.cited(0) == halved.cited(0) == [8]
    assert halved.effects[0, 8] == pytest.approx(plain.effects[0, 8], abs=1e-6)
    assert halved.passes < plain.passes
    assert np.isnan(halved.effects[0, :3]).all()


@pytest.mark.slow
def test_smollm2_finds_what_deletion_finds_among_twenty_passages(smollm2: ats.Model) -> None:
    same = passes = 0
    for one in fact_sets(6, passages=20, seed=7):
        found = setup(
            smollm2, one["question"], one["passages"], one["answer"], generate=4, template=None, segments=None,
            unit=None, within=None,
        )  # fmt: skip
        alone = found.counted_alone()
        scores, _ = halves(alone)
        same += int(scores[0].argmax() == effects_of(found, found.parts)[0].argmax())
        passes += alone.passes - 2
    assert same >= 5
    assert passes <= 6 * 20 * 0.35
