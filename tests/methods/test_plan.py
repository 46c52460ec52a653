"""What a request takes, said before it starts: against what it really took, and refusals."""

import functools
import inspect
import logging
import subprocess
import sys
from dataclasses import replace

import pytest

import attnscope as ats
from attnscope.errors import InputError, TooLargeError
from attnscope.methods.plan import PLANNED, Plan, Work

MEASURE = """
import resource, torch
import attnscope as ats
model = ats.load(dtype=torch.float32)
for parameter in model.model.parameters():
    parameter.detach().sum()
text = ("The castle on the hill was old. " * 190).rstrip()
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
planned = ats.plan(model, {text}, {method!r}).bytes
{run}
print(planned / 2**20, (peak() - before) / 1024)
"""
FOLLOWING = {"attention", "rollout", "value_norm", "value_zeroing"}
LONG = "word" + " word" * 599
RUNS = {
    "maps": "ats.attention_maps(model, text)",
    "rollout": "ats.explain(model, text, method='rollout', query=-1)",
    "attention_gradient": "ats.explain(model, text, method='attention_gradient')",
    "gradient": "ats.explain(model, text)",
    "deletion": "ats.explain(model, text[:500], method='deletion', target=' yes')",
}


@pytest.mark.slow
@pytest.mark.parametrize("method", RUNS)
def test_the_planned_memory_is_what_it_takes_within_a_factor_of_two(method: str) -> None:
    code = MEASURE.format(method=method, run=RUNS[method], text="text[:500]" if "500" in RUNS[method] else "text")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    planned, took = map(float, done.stdout.split())
    assert took / 2 <= planned <= took * 2 + 200, (planned, took)


@pytest.mark.parametrize("method", PLANNED)
def test_every_plan_grows_with_the_text_and_says_so(smollm2: ats.Model, method: str) -> None:
    short, long = (ats.plan(smollm2, method=method, tokens=n) for n in (512, 8192))
    assert short.bytes < long.bytes
    assert short.seconds < long.seconds
    assert str(long).startswith(f"{method} of 8,192 tokens takes up to")
    assert set(PLANNED) == {"maps", "generate", *ats.METHODS}


@pytest.mark.parametrize(
    ("method", "option", "values"),
    [
        ("integrated_gradients", "steps", (20, 40)),
        ("smooth_grad", "samples", (16, 32)),
        ("gradient_shap", "samples", (32, 64)),
        ("shapley", "pairs", (8, 16)),
        ("lime", "samples", (256, 512)),
        ("surrogate", "samples", (16, 32)),
    ],
)
def test_runs_are_read_off_the_methods_own_defaults(
    llama: ats.Model, monkeypatch: pytest.MonkeyPatch, method: str, option: str, values: tuple[int, int]
) -> None:
    """The same method with another default: its plan follows, without a word in the plans."""
    row = ats.METHODS[method]
    assert row.options[option] == values[0]

    @functools.wraps(row.run)
    def longer(task: ats.Task, **options: object) -> ats.Scores:
        return row.run(task, **options)

    signature = inspect.signature(row.run)
    longer.__signature__ = signature.replace(
        parameters=[p.replace(default=values[1]) if p.name == option else p for p in signature.parameters.values()]
    )
    again = replace(row, run=longer)
    assert again.options == {**row.options, option: values[1]}
    monkeypatch.setattr("attnscope.methods.plan.speed", lambda _device: (1e9, 1e9))
    before = ats.plan(llama, method=method, tokens=100)
    monkeypatch.setitem(PLANNED, method, Work.of(again))
    assert ats.plan(llama, method=method, tokens=100).seconds == pytest.approx(2 * before.seconds)
    # What is asked for goes before what the method would do by itself.
    assert ats.plan(llama, method=method, tokens=100, runs=1).seconds < before.seconds


@pytest.mark.parametrize("method", ["deletion", "occlusion", "shapley"])
def test_runs_grow_with_the_units_where_each_is_taken_away(method: str) -> None:
    work = PLANNED[method]
    assert work.runs(work.options, 20) == 10 * work.runs(work.options, 2)
    assert PLANNED["gradient"].runs({}, 20) == 1


def test_a_plan_of_a_text_is_that_of_its_tokens(llama: ats.Model) -> None:
    of_text, of_tokens = ats.plan(llama, "a b c", "deletion"), ats.plan(llama, method="deletion", tokens=3)
    assert (of_text.tokens, of_text.bytes) == (of_tokens.tokens, of_tokens.bytes)
    assert of_text.tokens == 3


def test_what_does_not_fit_says_so() -> None:
    plan = Plan("maps", 1200, 3 * 2**30, 2**30, 200.0, "give less")
    assert not plan.fits
    assert (
        str(plan) == "maps of 1,200 tokens takes up to 3.0 GB of memory of 1.0 GB free and 3 minutes: it does not fit"
    )
    assert Plan("maps", 12, 2**20, None, 0.5, "").fits
    assert str(Plan("maps", 12, 2**20, None, 0.5, "")) == (
        "maps of 12 tokens takes up to 1 MB of memory and less than a second"
    )


def test_fewer_maps_take_less(smollm2: ats.Model) -> None:
    every = ats.plan(smollm2, tokens=4096)
    assert ats.plan(smollm2, tokens=4096, layers=1, heads=1).bytes < every.bytes / 4
    assert ats.plan(smollm2, tokens=4096, maps=False, top=0).bytes < every.bytes / 4


def test_what_cannot_fit_is_refused_before_it_starts(smollm2: ats.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attnscope.methods.plan.free_memory", lambda _device: 100 * 2**20)
    with pytest.raises(TooLargeError, match=r"maps of 600 tokens .* 100 MB free.*does not fit; choose"):
        ats.attention_maps(smollm2, LONG)
    for method in sorted(set(ats.METHODS) - {"attention_flow"}):  # which takes 44 tokens at most
        with pytest.raises(TooLargeError, match=f"{method} of (599|600) tokens .* does not fit; .*give a shorter text"):
            ats.explain(smollm2, LONG, method=method, **({} if method in FOLLOWING else {"target": " word"}))
    with pytest.raises(TooLargeError, match="generate of 600 tokens"):
        ats.explain(smollm2, LONG, "gradient", generate=4)
    with pytest.raises(TooLargeError, match="generate of 600 tokens"):
        ats.attention(smollm2, LONG, generate=4)


def test_a_long_request_says_what_it_takes(
    smollm2: ats.Model, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("attnscope.methods.plan.speed", lambda _device: (1e9, 1e9))
    with caplog.at_level(logging.INFO, "attnscope"):
        ats.attention_maps(smollm2, LONG, layers=[0], maps=False, top=0)
        assert "maps of 600 tokens takes up to" in caplog.text
        ats.explain(smollm2, "word " * 8, method="lime", samples=100)
        assert "lime of 9 tokens takes up to" in caplog.text


def test_plans_that_cannot_be_made_say_why(smollm2: ats.Model) -> None:
    with pytest.raises(InputError, match="either a text or a number"):
        ats.plan(smollm2)
    with pytest.raises(InputError, match="no plan for 'x'"):
        ats.plan(smollm2, "a", "x")
