"""Costs as functions of sizes: by hand where a formula is short, and what they grow with."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import small

import attnscope as ats
from attnscope.methods import cost as costs
from attnscope.methods.cost import Cost, Size, size_of
from attnscope.methods.plan import PLANNED

# A model of a few hundred million parameters on a text of 512 tokens.
SIZE = Size(
    tokens=512,
    layers=24,
    heads=16,
    widths=costs.Widths(1024, 1024, 512, 4096),
    parameters=300_000_000,
    vocabulary=50_000,
    item=4,
    causal=True,
    runs=8,
    targets=1,
)
# What makes one method's passes more, beside their number.
WITHOUT_RUNS = {"maps", "attention", "rollout", "attention_flow", "attention_gradient", "value_norm", "value_zeroing"}
WITH_TARGETS = {name for name, row in ats.METHODS.items() if row.family == "gradient"} | {"attention_gradient"}


def numbers(cost: Cost) -> tuple[float, float, float]:
    return cost.bytes, cost.operations, cost.elements


def test_the_size_of_a_model() -> None:
    model = small("llama")
    size = size_of(model, 10, 3, 2)
    matrices = sum(p.numel() for p in model.model.parameters()) - model.model.get_input_embeddings().weight.numel()
    assert (size.tokens, size.runs, size.targets) == (10, 3, 2)
    assert (size.layers, size.heads, size.vocabulary, size.item, size.causal) == (3, 4, 64, 4, True)
    assert size.parameters == matrices
    assert (size.widths.hidden, size.widths.queries, size.widths.keys, size.widths.inner) == (32, 32, 16, 48)
    assert not size_of(small("bert"), 10, 1, 1).causal


def test_a_pass_by_hand() -> None:
    passing = costs.passing(SIZE)
    assert passing.operations == 2 * 300e6 * 512 + 2 * 512**2 * 1024 * 24
    assert passing.elements == 24 * 16 * 512**2 / 2
    assert passing.bytes - costs.passing(replace(SIZE, tokens=0)).bytes == 512 * 4 * (6 * 1024 + 3 * 4096 + 3 * 1024)


@pytest.mark.parametrize("name", PLANNED)
def test_a_longer_text_and_a_larger_model_cost_more(name: str) -> None:
    cost = PLANNED[name].cost
    longer = cost(replace(SIZE, tokens=8192))
    deeper = cost(replace(SIZE, layers=48, parameters=600_000_000))
    wider = cost(replace(SIZE, widths=costs.Widths(2048, 2048, 1024, 8192), parameters=1_200_000_000))
    for larger in (longer, deeper, wider):
        assert larger.operations > cost(SIZE).operations
        assert larger.bytes >= cost(SIZE).bytes
    # What a pass holds is gone after each layer: a deeper model need not take more memory.
    assert min(longer.bytes, wider.bytes) > cost(SIZE).bytes
    if name != "generate":  # one token at a time: the attention of a step is nothing beside its weights
        assert longer.elements > cost(SIZE).elements
        assert deeper.elements >= cost(SIZE).elements
    assert cost(replace(SIZE, item=2)).bytes < cost(SIZE).bytes


@pytest.mark.parametrize("name", PLANNED)
def test_operations_are_those_of_the_runs(name: str) -> None:
    once, often = (PLANNED[name].cost(replace(SIZE, runs=runs)) for runs in (4, 8))
    if name in WITHOUT_RUNS:
        assert numbers(often) == numbers(once)
    else:
        assert often.operations > once.operations
    if name not in WITHOUT_RUNS | {"generate"}:
        assert often.operations == pytest.approx(2 * once.operations)
        assert often.elements == pytest.approx(2 * once.elements)


@pytest.mark.parametrize("name", PLANNED)
def test_targets_cost_a_backward_pass_each(name: str) -> None:
    cost = PLANNED[name].cost
    one, two = cost(SIZE), cost(replace(SIZE, targets=2))
    if name in WITH_TARGETS:
        assert two.operations > one.operations
        assert two.bytes == one.bytes
    else:
        assert numbers(two) == numbers(one)


def test_noisy_copies_are_held_in_float64() -> None:
    for noisy in (1, 2):
        more = costs.gradients(SIZE, noisy).bytes - costs.gradients(SIZE).bytes
        assert more == noisy * 8 * 512 * 1024 * 8


def test_a_causal_model_reads_half_of_each_text_without_a_word() -> None:
    whole, single = costs.texts(SIZE), costs.single_words(SIZE)
    assert single.operations == whole.operations / 2
    masked = replace(SIZE, causal=False)
    assert numbers(costs.single_words(masked)) == numbers(costs.texts(masked))


def test_layers_beyond_the_budget_are_run_again() -> None:
    """Then memory grows with the text by what is held between layers alone, and there is a forward pass more."""
    long = replace(SIZE, tokens=32_768)
    forward = costs.passing(long).operations
    assert costs.gradients(replace(long, runs=1)).operations == pytest.approx(4 * forward)
    assert costs.gradients(replace(SIZE, runs=1, tokens=16)).operations == pytest.approx(
        3 * costs.passing(replace(SIZE, tokens=16)).operations
    )


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(PLANNED)), st.integers(1, 4096), st.integers(1, 4096), st.integers(1, 300))
def test_law_costs_grow_with_the_text(name: str, tokens: int, other: int, runs: int) -> None:
    shorter, longer = (
        PLANNED[name].cost(replace(SIZE, tokens=n, runs=runs)) for n in (min(tokens, other), max(tokens, other))
    )
    assert all(a <= b * (1 + 1e-9) for a, b in zip(numbers(shorter), numbers(longer), strict=True))
    assert all(number >= 0 for number in numbers(shorter))
