"""Which method "auto" takes, and that the result names it."""

from importlib import import_module

import numpy as np
import pytest
from planted import copy_tokenizer
from tiny_models import classifier, hybrid, small

import attnscope as ats
from attnscope.errors import InputError, ModelError
from attnscope.methods.calls import auto

mask_module = import_module("attnscope.methods.gradient.mask_gradient")
SHORT, LONG = "a b c d", "a b c d e f g h i j k l m n o p q r s"


@pytest.mark.parametrize(
    ("text", "given", "method"),
    [
        (SHORT, {}, "deletion"),
        (LONG, {}, "mask_gradient"),
        ([SHORT, LONG], {}, "mask_gradient"),
        (LONG, {"within": (0, 8)}, "deletion"),
        (LONG, {"budget": "exact"}, "deletion"),
        (LONG, {"budget": 40}, "deletion"),
        (LONG, {"budget": 12}, "mask_gradient"),
        (LONG, {"budget": "fast"}, "mask_gradient"),
        (SHORT, {"budget": 3}, "mask_gradient"),
    ],
)
def test_the_length_and_the_budget_decide(text: str | list[str], given: dict[str, object], method: str) -> None:
    result = ats.explain(small("llama"), text, method="auto", target="c", **given)
    (first, *_) = result if isinstance(result, list | ats.Results) else [result]
    assert first.method == method
    assert first.signed


@pytest.mark.parametrize(("budget", "steps", "exact"), [(None, 4, 8), (12, 4, 3), (np.int64(7), 3, 0), ("fast", 1, 0)])
def test_a_budget_is_spent_in_steps_and_then_in_words(budget: object, steps: int, exact: int) -> None:
    model = small("llama")
    auto = ats.explain(model, LONG, method="auto", target="c", budget=budget)
    assert (auto.asked.options["steps"], auto.asked.options["exact"]) == (steps, exact)
    alone = ats.explain(model, LONG, method="mask_gradient", target="c", steps=steps, exact=exact)
    np.testing.assert_allclose(auto.scores, alone.scores)


def test_models_with_an_encoder_and_a_decoder_or_eager_attention_have_it_too() -> None:
    of_both = ats.explain(small("t5"), LONG, method="auto", target="c")
    assert (of_both.method, of_both.asked.options["steps"]) == ("mask_gradient", 4)
    by_itself = ats.explain(small("falcon"), LONG, method="auto", target="c")
    assert by_itself.method == "mask_gradient"
    assert (by_itself.asked.options["steps"], by_itself.asked.options["exact"]) == (1, 14)


def test_without_a_target_a_language_model_explains_its_text_and_a_classifier_its_prediction() -> None:
    assert ats.explain(small("llama"), SHORT, method="auto").method == "gradient"
    found = ats.explain(classifier("Sequence"), SHORT, method="auto")
    assert (found.method, found.asked.quantity) == ("deletion", "log_probability")


def test_a_model_whose_attention_cannot_be_seen_has_the_gradient() -> None:
    from planted import CopyBack

    model = ats.Model(CopyBack.make(back=1), copy_tokenizer())
    assert ats.explain(model, LONG, method="auto", target="c", budget="fast").method == "gradient"
    assert ats.explain(small("t5"), LONG, method="auto", target="c", budget="fast").method == "mask_gradient"


def test_a_generator_is_read_once_and_bad_texts_are_kept() -> None:
    model = small("llama")
    found = ats.explain(model, (text for text in (SHORT, LONG)), target="c")
    assert [one.method for one in found] == ["mask_gradient"] * 2
    found = ats.explain(model, [SHORT, SHORT], target=(target for target in ("c", None)))
    assert [one.method for one in found] == ["gradient"] * 2, "one of them has its own text explained"
    kept = ats.explain(model, [SHORT, "", 5], target=["c", "d", "c"], on_error="keep")
    assert (kept[0].method, [failed.error for failed in kept.failures.values()]) == ("deletion", ["TextError"] * 2)
    every = ats.explain(model, ["", " "], target="c", on_error="keep")
    assert len(every.failures) == 2


def test_what_only_some_methods_take_names_one() -> None:
    model = small("llama")
    assert ats.explain(model, SHORT, target="c", norm="l1").method == "gradient"
    for given, method in (({"steps": 3}, "integrated_gradients"), ({"query": 1}, "attention")):
        with pytest.raises(InputError, match=f"no method was named, .* has no parameter .*method='{method}'"):
            ats.explain(model, SHORT, target="c", **given)
    with pytest.raises(InputError, match="has no parameter 'foo'; it takes budget, target"):
        ats.explain(model, SHORT, foo=1)


def test_a_word_alone_is_not_taken_away() -> None:
    model = small("llama")
    assert ats.explain(model, "a", target="c").method == "gradient"
    assert [one.method for one in ats.explain(model, ["a", SHORT], target="c")] == ["mask_gradient"] * 2
    t5 = ats.explain(small("t5"), ["a", LONG], target="c")
    assert [one.method for one in t5] == ["mask_gradient"] * 2


def test_long_texts_and_tokens_by_themselves_have_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small("llama")
    each = ats.explain(model, LONG, target="c d", per_token=True).first
    assert (each.method, each.asked.options["steps"], each.asked.options["exact"]) == ("mask_gradient", 1, 0)
    monkeypatch.setattr(auto, "LONGEST_MASKED", 10)
    long = ats.explain(model, LONG, target="c").asked.options
    assert (long["steps"], long["exact"]) == (1, 0)


def test_windows_decide_by_their_own_length() -> None:
    model = classifier("Sequence")
    assert ats.explain(model, LONG * 3, window=16).method == "deletion"
    assert ats.explain(model, LONG * 3, window=64).method == "mask_gradient"


def test_where_tokens_learn_of_each_other_in_other_ways_too_a_surrogate_takes_its_place() -> None:
    model = small("llama")
    assert ats.explain(model, LONG, target="c").method == "mask_gradient"
    mixed = ats.Model(hybrid("qwen3_next"), copy_tokenizer())
    auto = ats.explain(mixed, LONG, target="c", budget=13)
    assert (auto.method, auto.asked.options["samples"], auto.asked.options["replacement"]) == (
        "surrogate",
        12,
        "delete",
    )
    alone = ats.explain(mixed, LONG, method="surrogate", target="c", samples=12, replacement="delete")
    np.testing.assert_allclose(auto.scores, alone.scores, atol=1e-6)
    assert ats.explain(mixed, LONG, target="c", budget="fast").method == "gradient"


def test_what_a_model_refuses_as_it_runs_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise ModelError("it attends in rounds that pass no gradient")

    monkeypatch.setattr(mask_module, "key_mask_gradients", refused)
    model = small("llama")
    assert ats.explain(model, LONG, target="c").method == "surrogate"
    assert ats.explain(model, LONG, target="c", budget="fast").method == "gradient"
    with pytest.raises(ModelError, match="in rounds"):
        ats.explain(model, LONG, method="mask_gradient", target="c")


@pytest.mark.parametrize("budget", ["slow", 1, True, 2.5])
def test_what_is_no_budget(budget: object) -> None:
    with pytest.raises(InputError, match="give 'fast', 'exact', or a number of passes"):
        ats.explain(small("llama"), SHORT, method="auto", target="c", budget=budget)
