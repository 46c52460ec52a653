"""The family matrix itself: a few models through all of it, what it makes of faults, and the table that it keeps.

All families run under `make test-families`, a fifth of them in CI under `make test-families-sample`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import pytest
import torch

import attnscope as ats
from attnscope.models.attention import interface
from families import table
from families.build import build
from families.cases import KINDS, SPECIAL, Case, every_case, named, sample
from families.checks import CHECKS
from families.expected import EXPECTED, outlived, unexpected
from families.outcome import CRASH, PASS, REFUSED, WRONG, decide, largest
from families.run import record_of
from families.trial import Trial


def _case(name: str) -> Case:
    (case,) = named(every_case(), [name])
    return case


def _outcome(trial: Trial, check: str) -> str:
    function, tolerance = CHECKS[check]
    return decide(function, tolerance, trial, lambda: trial.in_precision(torch.float64)).status


@contextmanager
def _scores_off_by(share: float) -> Iterator[None]:
    """Inside, attnscope computes its attention with this much larger scores, once a model is trusted."""
    plain = interface.SDPACall.scores
    with patch.object(interface.SDPACall, "scores", lambda *args: plain(*args) * (1 + share)):
        yield


def test_the_sample_is_a_fifth_of_every_kind_with_all_that_is_special() -> None:
    cases = every_case()
    chosen = sample(cases)
    assert 0.15 < len(chosen) / len(cases) < 0.22
    assert {case.kind for case in chosen} == set(KINDS)
    assert {case.family for case in chosen} >= SPECIAL
    assert chosen == sample(cases)


def test_a_model_that_is_right_passes_every_check() -> None:
    record = record_of(_case("causal:llama"))
    assert {outcome["status"] for outcome in record["checks"].values()} <= {"pass", "na"}
    assert not unexpected(record)


@pytest.mark.parametrize("check", ["attention", "rollout", "attention_gradient"])
def test_a_fault_in_the_weights_is_found(check: str) -> None:
    trial = Trial.of(_case("causal:llama"), *build(_case("causal:llama")))
    assert _outcome(trial, check) == PASS  # after which the model is trusted
    with _scores_off_by(0.01):
        assert _outcome(trial, check) in (WRONG, REFUSED)  # a trial of its own may find it first


def test_a_score_that_is_no_number_is_wrong() -> None:
    assert np.isnan(largest(0.0, np.nan, 1.0))
    trial = Trial.of(_case("causal:llama"), *build(_case("causal:llama")))
    for error in (np.nan, np.inf):
        assert decide(lambda _given, error=error: error, 1.0, trial, lambda: trial).status == WRONG


def test_a_model_that_comes_back_changed_is_wrong() -> None:
    trial = Trial.of(_case("causal:llama"), *build(_case("causal:llama")))

    def forgets(changed: Trial) -> None:
        next(changed.net.parameters()).requires_grad_(False)

    assert decide(forgets, 1.0, trial, lambda: trial).message.startswith("the model came back changed: trainable")


def test_an_error_of_attnscope_is_a_refusal_and_any_other_on_its_way_a_crash() -> None:
    trial = Trial.of(_case("causal:llama"), *build(_case("causal:llama")))

    def refused(given: Trial) -> None:
        ats.attention(given.model, "castle", layer=99)

    assert decide(refused, 1.0, trial, lambda: trial).status == REFUSED
    with patch("attnscope.methods.explain.run", side_effect=KeyError("a fault of our own")):
        assert decide(lambda given: ats.attention(given.model, "castle"), 1.0, trial, lambda: trial).status == CRASH


def test_what_is_not_expected_is_a_fault_and_so_is_an_expectation_that_no_longer_holds() -> None:
    head = {"kind": "causal", "family": "mamba", "architecture": "MambaForCausalLM"}
    refused = {"status": REFUSED, "message": "ModelError: MambaForCausalLM has no attention weights to show"}
    assert not unexpected(head | {"checks": {"attention": refused}})
    assert unexpected(head | {"checks": {"gradient": refused}})
    assert unexpected(head | {"checks": {"attention": refused | {"message": "another reason"}}})
    assert unexpected(head | {"checks": {"attention": {"status": WRONG}}})
    assert unexpected(head | {"failed": "ValueError"})
    mended = [{"kind": c.kind, "family": c.family, "checks": {"attention": {"status": PASS}}} for c in every_case()]
    assert len(outlived(mended)) == len(EXPECTED)


def test_expectations_are_about_families_and_checks_that_there_are() -> None:
    families = {case.family for case in every_case()}
    for expected in EXPECTED:
        assert expected.families <= families, expected.families - families
        assert expected.checks <= set(CHECKS), expected.checks - set(CHECKS)


def test_the_table_of_the_docs_is_that_of_the_list() -> None:
    page = table.PAGE.read_text(encoding="utf-8")
    assert page == table.written(page, "table", table.table()), "run: make families-table"
