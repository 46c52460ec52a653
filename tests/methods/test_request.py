"""What may be asked of every method: names of today and of before, what was left out, and indices."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from planted import copy_tokenizer
from tiny_models import classifier, small, tiny

import attnscope as ats
from attnscope.errors import InputError, RangeError
from attnscope.methods.request import RENAMED, SHARED, UNASKED, Request, in_range, renamed, requested


@pytest.mark.parametrize(
    ("family", "method", "old", "new", "value"),
    [
        ("bart", "attention", "kind", "stack", "encoder"),
        ("bart", "rollout", "kind", "stack", "encoder"),
        ("llama", "occlusion", "way", "replacement", "zero"),
        ("llama", "shapley", "way", "replacement", "mean"),
    ],
)
def test_an_old_name_warns_once_and_means_the_same(family: str, method: str, old: str, new: str, value: str) -> None:
    assert RENAMED[old] == new
    model = small(family)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        before = ats.explain(model, "a b c", method=method, **{old: value})
    assert [(w.category, str(w.message)) for w in caught] == [
        (DeprecationWarning, f"{old}= is called {new}= now"),
    ]
    assert before == ats.explain(model, "a b c", method=method, **{new: value})


def test_a_name_is_old_only_where_the_method_has_the_new_one() -> None:
    assert renamed({"kind": 1}, {"kind", "stack"}) == {"kind": 1}
    assert renamed({"kind": 1}, {"replacement"}) == {"kind": 1}
    given = {"way": "zero", "seed": 3}
    with pytest.warns(DeprecationWarning, match="way= is called replacement= now"):
        assert renamed(given, {"replacement", "seed"}) == {"replacement": "zero", "seed": 3}
    assert given == {"way": "zero", "seed": 3}


def test_options_are_parted_from_the_request() -> None:
    options, request = requested({"steps": 3, "target": " g"}, {"steps": 20, "rule": "riemann"}, SHARED, "sum")
    assert options == {"steps": 3, "rule": "riemann"}
    assert request == Request(target=" g")
    with pytest.raises(InputError, match=r"'sum' has no parameter 'step'; it takes steps, target, against"):
        requested({"step": 3}, {"steps": 20}, SHARED, "sum")
    with pytest.raises(InputError, match=r"no parameter 'query'; it takes steps, target$"):
        requested({"query": 3}, {"steps": 20}, ["target"], "sum")


@pytest.mark.parametrize("wrong", [True, np.bool_(True), "3", 3.5, None, [3], float("nan")])
def test_a_number_is_a_number(wrong: object) -> None:
    with pytest.raises(InputError, match=r"steps=.*: expected a whole number, such as 20"):
        requested({"steps": wrong}, {"steps": 20}, SHARED, "sum")
    for value in (3, np.int64(3), np.uint8(3), torch.tensor(3), np.array(3)):
        options, _ = requested({"steps": value}, {"steps": 20}, SHARED, "sum")
        assert options == {"steps": 3}
        assert type(options["steps"]) is int
    assert requested({"noise": np.float32(0.5)}, {"noise": 0.1}, SHARED, "sum")[0] == {"noise": 0.5}
    with pytest.raises(InputError, match=r"noise=True: expected a number"):
        requested({"noise": True}, {"noise": 0.1}, SHARED, "sum")


@pytest.mark.parametrize(
    ("given", "asks_target", "asks_query"),
    [
        ({}, False, False),
        ({"unit": "token", "chat": True, "truncate": True, "within": (0, 3)}, False, False),
        ({"target": " g"}, True, False),
        ({"target": 0}, True, False),
        ({"generate": 3}, True, False),
        ({"position": 0}, True, False),
        ({"quantity": "logit"}, True, False),
        ({"against": " h"}, True, False),
        ({"per_token": True}, True, False),
        ({"per_token": False}, False, False),
        ({"query": None}, False, True),
        ({"query": 0}, False, True),
        ({"query": []}, False, True),
        ({"stack": "cross"}, False, True),
        ({"query": "a", "target": " g"}, True, True),
    ],
)
def test_what_was_asked_for(given: dict[str, object], asks_target: bool, asks_query: bool) -> None:
    request = Request(**given)
    assert (request.asks_target, request.asks_query) == (asks_target, asks_query)


def test_given_is_what_is_not_left_out() -> None:
    request = Request(target=0, per_token=False, query=None)
    assert request.given("target")
    assert request.given("per_token", "target")
    assert not request.given("per_token", "query", "against")


def test_queries_are_one_or_a_list_of_them() -> None:
    assert Request().queries(-1) == ([-1], False)
    assert repr(UNASKED) == "the method's own"
    assert Request(query=None).queries(-1) == ([None], False)
    assert Request(query="castle").queries(None) == (["castle"], False)
    assert Request(query=["castle", 0, None]).queries(None) == (["castle", 0, None], True)
    assert Request(query=[]).queries(None) == ([], True)


def test_a_target_is_explained_or_follows() -> None:
    asked = Request(target=" g", against=" h", quantity="logit").explained()
    assert (asked.target, asked.against, asked.quantity, asked.per_token) == (" g", " h", "logit", False)
    with pytest.raises(InputError, match="needs a target"):
        Request(against=" h").explained()
    assert Request(target=" g").following() == (" g", None)
    assert Request(generate=4).following() == (None, 4)
    with pytest.raises(InputError, match="the target 3 is not a text: beside a query"):
        Request(target=3).following()


@given(st.integers(1, 50), st.integers(-200, 200))
def test_law_an_index_counts_from_the_end_or_is_out_of_range(count: int, index: int) -> None:
    if -count <= index < count:
        assert in_range("layer", index, count) == list(range(count))[index]
    else:
        with pytest.raises(RangeError, match=f"the layer {index} is out of range: .* layers 0 to {count - 1}"):
            in_range("layer", index, count)


@pytest.mark.parametrize("index", [True, 1.0, "mean", None])
def test_what_is_no_index_is_refused(index: object) -> None:
    with pytest.raises(RangeError, match="is no number"):
        in_range("head", index, 4)
    with pytest.raises(RangeError, match='is neither a number nor "sum"'):
        in_range("head", index, 4, '"sum"')


# Numbers of numpy and torch, wherever a number is taken: the result is that of Python's own, and can be saved.
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
    expected = ats.explain(model, TEXT, "gradient", target=1, against=2)
    assert ats.explain(model, TEXT, "gradient", target=number(1), against=number(2)) == expected
    model = classifier("Token")
    expected = ats.explain(model, TEXT, "gradient", target=1, position=2)
    assert ats.explain(model, TEXT, "gradient", target=number(1), position=number(2)) == expected


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
            ats.explain(model, TEXT, "gradient", generate=wrong)
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
