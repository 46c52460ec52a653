"""Which method "auto" takes, and that the result names it."""

import numpy as np
import pytest
from tiny_models import classifier, small

import attnscope as ats
from attnscope.errors import InputError

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


@pytest.mark.parametrize(("budget", "steps"), [(None, 4), (7, 3), ("fast", 1)])
def test_a_budget_is_spent_in_steps(budget: object, steps: int) -> None:
    model = small("llama")
    auto = ats.explain(model, LONG, method="auto", target="c", budget=budget)
    assert auto.asked.options["steps"] == steps
    alone = ats.explain(model, LONG, method="mask_gradient", target="c", steps=steps)
    np.testing.assert_allclose(auto.scores, alone.scores)


def test_where_it_was_not_measured_or_cannot_be_seen_a_surrogate_takes_its_place() -> None:
    model = small("t5")
    auto = ats.explain(model, LONG, method="auto", target="c", budget=13)
    assert auto.asked.options["samples"] == 12
    np.testing.assert_allclose(auto.scores, ats.explain(model, LONG, method="surrogate", target="c", samples=12).scores)
    by_itself = ats.explain(small("falcon"), LONG, method="auto", target="c")
    assert (by_itself.method, by_itself.asked.options["steps"]) == ("mask_gradient", 1)


def test_without_a_target_a_language_model_explains_its_text_and_a_classifier_its_prediction() -> None:
    assert ats.explain(small("llama"), SHORT, method="auto").method == "gradient"
    found = ats.explain(classifier("Sequence"), SHORT, method="auto")
    assert (found.method, found.asked.quantity) == ("deletion", "log_probability")


def test_a_model_whose_attention_cannot_be_seen_has_the_gradient() -> None:
    from planted import CopyBack, copy_tokenizer

    model = ats.Model(CopyBack.make(back=1), copy_tokenizer())
    assert ats.explain(model, LONG, method="auto", target="c", budget="fast").method == "gradient"
    assert ats.explain(small("t5"), LONG, method="auto", target="c", budget="fast").method == "mask_gradient"


@pytest.mark.parametrize("budget", ["slow", 1, True, 2.5])
def test_what_is_no_budget(budget: object) -> None:
    with pytest.raises(InputError, match="give 'fast', 'exact', or a number of passes"):
        ats.explain(small("llama"), SHORT, method="auto", target="c", budget=budget)
