"""Numbers of numpy and torch, wherever a number is taken: the result is that of Python's own, and can be saved."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from planted import copy_tokenizer
from tiny_models import classifier, tiny

import attnscope as ats

TEXT = "a b c d e f"
KINDS: dict[str, Callable[[int], Any]] = {"numpy": np.int64, "torch": torch.tensor, "array": np.asarray}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "generate": ("gradient", {"generate": 2}),
    "generate per token": ("gradient_x_input", {"generate": 2, "per_token": 1}),
    "query": ("attention", {"query": 1}),
    "negative query": ("rollout", {"query": -1}),
    "queries": ("attention", {"query": [1, 2]}),
    "layer and head": ("attention", {"query": 1, "layer": 1, "head": 0}),
    "steps": ("integrated_gradients", {"target": " g", "steps": 5}),
    "samples and seed": ("smooth_grad", {"target": " g", "samples": 2, "seed": 3}),
    "pairs": ("shapley", {"target": " g", "pairs": 2}),
    "within": ("deletion", {"target": " g", "within": (2, 7)}),
    "segments": ("deletion", {"target": " g", "segments": {"x": (0, 3), "y": [4, 9]}}),
}


def converted(value: Any, kind: Callable[[int], Any]) -> Any:
    if isinstance(value, dict):
        return {name: converted(part, kind) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(converted(part, kind) for part in value)
    return kind(value) if isinstance(value, int) else value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES)
def test_a_number_is_a_number_wherever_it_comes_from(case: str, kind: str) -> None:
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    method, asked = CASES[case]
    expected = ats.explain(model, TEXT, method, **asked)
    found = ats.explain(model, TEXT, method, **converted(asked, KINDS[kind]))
    assert found == expected
    for result, same in zip(*([r] if not isinstance(r, list) else r for r in (found, expected)), strict=True):
        assert result.to_json() == same.to_json()


@pytest.mark.parametrize("kind", KINDS)
def test_labels_and_positions(kind: str) -> None:
    number = KINDS[kind]
    model = classifier("Sequence")
    expected = ats.explain(model, TEXT, target=1, against=2)
    assert ats.explain(model, TEXT, target=number(1), against=number(2)) == expected
    model = classifier("Token")
    expected = ats.explain(model, TEXT, target=1, position=2)
    assert ats.explain(model, TEXT, target=number(1), position=number(2)) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_compare_evaluate_and_maps(kind: str) -> None:
    number = KINDS[kind]
    model = classifier("Sequence")
    found = ats.compare(model, "a b c", "a x c", labels=[number(0), number(2)], expected=number(2), target=number(0))
    assert found == ats.compare(model, "a b c", "a x c", labels=[0, 2], expected=2, target=0)
    for sample in (ats.Sample(TEXT, target=number(1), gold=number(1)), TEXT):
        given = {"target": number(1)} if sample == TEXT else {}
        found = ats.evaluate(model, [sample], ["gradient"], ["comprehensiveness"], replacement="pad", **given)
        assert {row.label for row in found.rows} == {"NEUTRAL"}
        assert '"NEUTRAL"' in found.to_json()
    maps = ats.attention_maps(model, TEXT, layers=[number(1)], queries=np.array([0, 2]), top=number(2))
    assert maps.to_json() == ats.attention_maps(model, TEXT, layers=[1], queries=[0, 2], top=2).to_json()
    assert '"top": 2' in maps.to_json()


def test_an_array_of_queries_is_a_list_of_them() -> None:
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    expected = ats.explain(model, TEXT, "attention", query=[1, 3])
    assert ats.explain(model, TEXT, "attention", query=np.array([1, 3])) == expected
    assert ats.explain(model, TEXT, "attention", query=torch.tensor([1, 3])) == expected


def test_a_boolean_is_no_number() -> None:
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    for wrong in (True, np.True_, torch.tensor(True)):
        with pytest.raises(ats.AttnscopeError, match="generate=True"):
            ats.explain(model, TEXT, generate=wrong)
        with pytest.raises(ats.AttnscopeError, match="query True"):
            ats.explain(model, TEXT, "attention", query=wrong)


def test_an_array_that_a_method_of_ones_own_takes_stays_one() -> None:
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    seen = []

    def own(task: ats.Task, *, weights: Any = None) -> ats.Scores:
        seen.append(weights)
        return ats.Scores(tokens=np.asarray(weights))

    weights = np.arange(6.0)
    ats.explain(model, TEXT, own, weights=weights)
    assert seen[0] is weights
