"""`attnscope flow`."""

import pytest
from command_line import TEXT, failed, run

import attnscope as ats


def test_flow_equals_the_library(smollm2: ats.Model) -> None:
    done = run("flow", TEXT, "--method", "rollout", "--query", "castle", "--heads", "max", "--json")
    assert done.returncode == 0, done.stderr
    ours = ats.explain(smollm2, TEXT, method="rollout", query="castle", heads="max")
    saved = ats.Attribution.from_json(done.stdout.decode())
    assert (saved.asked, saved.measured) == (ours.asked, ours.measured)
    assert [w.score for w in saved.words] == pytest.approx([w.score for w in ours.words], abs=1e-6)


def test_flow_says_what_a_method_does_not_take() -> None:
    known = [row.name for row in ats.METHODS.values() if row.family == "flow"]
    said = failed("flow", TEXT, "--method", "rolout")
    assert f"there is no flow method 'rolout'; choose from {', '.join(known)}" in said
    assert "needs a target" in failed("flow", TEXT, "--against", "x")
    assert "has no contrast" in failed("flow", TEXT, "--target", " x", "--against", " y")
