"""Lists of texts: a target for each, errors kept, whatever kind of list it is."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from planted import copy_tokenizer
from tiny_models import classifier, tiny

import attnscope as ats
from attnscope.errors import InputError, TextError
from attnscope.methods.calls import many
from attnscope.models.gradients import input_gradients

TEXTS = ["a b c", "d e f", "f g h"]
TARGETS = [" c", None, " a"]


def model() -> ats.Model:
    return ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())


@pytest.mark.parametrize("method", ["gradient", "deletion", "attention", "rollout", "attention_gradient"])
def test_each_text_has_its_own_target(method: str) -> None:
    net = model()
    together = ats.explain(net, TEXTS, method, target=TARGETS)
    for text, target, result in zip(TEXTS, TARGETS, together, strict=True):
        alone = ats.explain(net, text, method, **({} if target is None else {"target": target}))
        assert result.text == alone.text
        assert result.asked == alone.asked, method
        assert result.scores == pytest.approx(alone.scores, abs=1e-5)


def test_labels_are_told_from_numbers_of_the_same_value() -> None:
    net = classifier("Sequence")
    results = ats.explain(
        net, TEXTS, "gradient", target=[np.argmax([0, 1]), "POSITIVE", 0], against=[0, None, "POSITIVE"]
    )
    assert ["NEUTRAL" in str(r.asked.target) for r in results] == [True, False, False]
    assert [" minus " in str(r.asked.target) for r in results] == [True, False, True]


@pytest.mark.parametrize(
    "kind", [list, tuple, iter, np.array, pd.Series, pl.Series, lambda texts: pd.Series(texts, dtype="string")]
)
@pytest.mark.parametrize("call", [ats.explain, ats.attention, ats.attention_maps])
def test_any_list_of_texts_is_one(kind: Callable[[list[str]], Any], call: Callable[..., Any]) -> None:
    ours, theirs = call(model(), kind(TEXTS[:2])), call(model(), TEXTS[:2])
    assert [r.to_json() for r in ours] == [r.to_json() for r in theirs]
    assert len(ours) == 2


def test_a_missing_value_of_a_table_is_no_target() -> None:
    for missing in (float("nan"), pd.NA, None):
        results = ats.explain(model(), TEXTS[:2], "gradient", target=pd.Series([" c", missing], dtype=object))
        assert [r.asked.quantity for r in results] == ["log_probability", "loss"]


def test_a_wrong_number_of_targets_is_one_line() -> None:
    with pytest.raises(InputError, match="target has 2 values and there are 3 texts: give one for each, None where"):
        ats.explain(model(), TEXTS, "gradient", target=[" c", " d"])
    with pytest.raises(InputError, match="target is a list and there is one text"):
        ats.explain(model(), "a b", "gradient", target=[" c"])
    with pytest.raises(InputError, match="choose 'raise' or 'keep'"):
        ats.explain(model(), TEXTS, on_error="skip")
    for wrong in (None, 5):
        with pytest.raises(TextError, match="give a str, or a list of them"):
            ats.explain(model(), wrong)
    assert ats.explain(model(), []) == []


def test_one_bad_text_is_named_or_kept_and_the_others_are_as_without_it() -> None:
    net = model()
    texts = ["a b c", "", "d e", 3.5, "f g"]
    with pytest.raises(TextError, match=r"^text 1 of 5: the text is empty"):
        ats.explain(net, [*texts[:3], " ", texts[4]])
    kept = ats.explain(net, texts, "deletion", target=" c", on_error="keep")
    assert {number: failed.error for number, failed in kept.failures.items()} == {1: "TextError", 3: "TextError"}
    assert kept[4] == ats.explain(net, "f g", "deletion", target=" c")
    assert "type float" in kept.failures[3].message
    with pytest.raises(InputError, match="no parameter 'foo'"):
        ats.explain(net, texts, foo=1, on_error="keep")


def test_a_bar_counts_the_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []

    class Bar:
        def __init__(self, description: str, total: int) -> None:
            assert (description, total) == ("texts", 300)

        def __enter__(self) -> Callable[[int], None]:
            return counted.append

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(many, "bar", Bar)
    ats.explain(model(), ["a b"] * 300)
    assert sum(counted) == 300
    assert len(counted) > 1


def test_texts_with_different_targets_share_their_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["a b c", "b c", "d e f a", "c"]
    asked: dict[str, list[Any]] = {
        "target": [" a", " b", None, " a"],
        "against": [None, " c", None, " d"],
        "within": [(0, 3), None, (2, 5), None],
    }
    alone = [
        ats.explain(
            model(), text, "gradient", **{name: values[i] for name, values in asked.items() if values[i] is not None}
        )
        for i, text in enumerate(texts)
    ]
    passes: list[int] = []
    batch = input_gradients._batch

    def counted(*given: Any) -> Any:
        passes.append(1)
        return batch(*given)

    monkeypatch.setattr(input_gradients, "_batch", counted)
    together = ats.explain(model(), texts, "gradient", **asked)
    assert len(passes) == 1
    for one, other in zip(alone, together, strict=True):
        assert [word.text for word in one.words] == [word.text for word in other.words]
        assert one.asked.target == other.asked.target
        np.testing.assert_allclose(one.scores, other.scores, rtol=1e-4, atol=1e-7)
        assert one.measured.value == pytest.approx(other.measured.value, rel=1e-5)
    assert len(together[0].words) == 2
