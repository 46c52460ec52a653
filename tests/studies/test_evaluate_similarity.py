"""Evaluations of what makes two texts similar."""

import numpy as np
import pytest
from planted import copy_tokenizer
from tiny_models import small, tiny

import attnscope as ats
from attnscope.errors import InputError, ModelError
from attnscope.render import render
from attnscope.results.evaluation import ALIKE, Sample

TEXTS = ["a b c d e f", "h i j k l m", "c b a d e f"]
FAST = ["comprehensiveness", "deletion_area", "log_odds"]


def alike(model: ats.Model, text: str, other: str) -> float:
    return (1 + ats.explain(model, text, "random", similar_to=other).measured.value) / 2


def test_metrics_are_of_one_plus_the_cosine_halved() -> None:
    model = ats.load(small("bert", 2.0), pooling="mean")
    found = ats.evaluate(
        model, TEXTS[:1], ["deletion", ("occlusion", {"width": 1})], FAST, similar_to="b f", replacement="pad"
    )
    rows = {row.method: row for row in found.rows}
    row = rows["deletion"]
    assert (row.label, row.predicted, found.settings["quantity"]) == ("b f", True, ALIKE)
    whole = alike(model, TEXTS[0], "b f")
    assert row.probability == pytest.approx(whole, abs=1e-5)
    # By hand: the word with the highest score goes first.
    first = int(np.argmax(row.scores))
    lost = ats.explain(model, TEXTS[0], "occlusion", similar_to="b f", replacement="pad").scores[first]
    assert row.curves["deletion"][:2] == pytest.approx([whole, whole - lost / 2], abs=1e-4)
    scored = ats.explain(model, TEXTS[0], "deletion", similar_to="b f")
    np.testing.assert_allclose(row.scores, scored.scores, atol=1e-6)
    assert all(np.isfinite(value) for value in row.values.values())


def test_each_text_has_its_own_and_every_method_is_asked() -> None:
    model = ats.load(small("bert", 2.0), pooling="mean")
    found = ats.evaluate(model, TEXTS, None, FAST[:1], similar_to=["b", "k l", "a"], replacement="pad")
    assert [row.label for row in found.rows if row.method == "random"] == ["b", "k l", "a"]
    assert {"gradient", "integrated_gradients", "deletion", "attention", "random"} <= set(found.methods)
    sample = Sample("a b c", similar_to="b f")
    assert ats.evaluate(model, [sample], ["deletion"], FAST[:1], replacement="pad").rows[0].key == sample.key
    page = render(found, ".html").decode()
    assert ALIKE in page
    assert "probability of the label" not in page


def test_samples_without_another_text_keep_their_keys() -> None:
    assert Sample("a b").key != Sample("a b", similar_to="c").key
    assert Sample("a castle").key == Sample.of({"text": "a castle"}, "it").key == "afac2619958768c0"


@pytest.mark.parametrize(
    ("given", "texts", "said"),
    [
        ({"similar_to": ["b"]}, TEXTS, "3 texts and 1 in similar_to"),
        ({"similar_to": "b", "target": 1}, TEXTS, "a target or labels were given"),
        ({"similar_to": "b", "labels": [0, 1]}, TEXTS, "a target or labels were given"),
        ({}, [Sample("a b", similar_to="c"), "c d"], "known of 1 of 2 texts"),
    ],
)
def test_what_does_not_go_together_is_refused(given: dict[str, object], texts: list[object], said: str) -> None:
    model = ats.load(small("bert", 2.0), pooling="mean")
    with pytest.raises(InputError, match=said):
        ats.evaluate(model, texts, ["deletion"], FAST[:1], **given)  # type: ignore[arg-type]


def test_a_model_without_a_vector_is_refused() -> None:
    with pytest.raises(ModelError, match="makes one vector of a text is not known"):
        ats.evaluate(ats.Model(tiny("llama"), copy_tokenizer()), TEXTS, ["deletion"], FAST[:1], similar_to="b")
