"""Answers to one text, of every kind of model, against plain passes; and all kinds evaluated and compared."""

import pytest
import torch
from planted import copy_tokenizer
from tiny_models import classifier, tiny

import attnscope as ats
from attnscope.errors import InputError
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.targets.label_probabilities import Choices, all_labels, choices, log_probabilities

TEXT = "a b c d e"


def asked(model: ats.Model, labels: list[str | int], text: str = TEXT) -> Choices:
    (encoded,) = encoded_texts(model, [text])
    return choices(model, encoded, labels)


def whole(found: Choices) -> list[float]:
    return found.without([frozenset()], "delete")[0].tolist()


def continuation(model: ats.Model, text: str, label: str) -> float:
    prompt, after = (model.tokenizer(t)["input_ids"] for t in (text, label))
    with torch.no_grad():
        rows = model.model(torch.tensor([prompt + after])).logits[0].log_softmax(-1)
    return float(sum(rows[len(prompt) - 1 + i, token] for i, token in enumerate(after)))


@pytest.mark.parametrize("labels", [[" f", " g"], [" f g", " h"], [" f g h", " a b", " c"], [" f"]])
def test_a_language_models_continuations(labels: list[str]) -> None:
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    found = asked(model, list(labels))
    assert whole(found) == pytest.approx([continuation(model, TEXT, label) for label in labels], abs=1e-4)
    without = found.without([frozenset([1]), frozenset([0, 3])], "delete")
    for row, left in zip(without, ("a c d e", "b c e"), strict=True):
        assert row.tolist() == pytest.approx([continuation(model, left, label) for label in labels], abs=1e-4)
    assert len(found.passes) == (1 if all(len(label) == 2 for label in labels) else len(labels))


def test_labels_of_a_classifier_share_one_pass() -> None:
    model = classifier("Sequence")
    found = asked(model, list(all_labels(model)))
    with torch.no_grad():
        rows = model.model(**model.tokenizer(TEXT, return_tensors="pt")).logits.log_softmax(-1)[0]
    assert whole(found) == pytest.approx(rows.tolist(), abs=1e-5)
    assert len(found.passes) == 1


def test_an_encoder_decoders_answers() -> None:
    model = ats.Model(tiny("t5", sharp=2.0), copy_tokenizer())
    found = asked(model, [" f", " g h"])
    for label, value in zip((" f", " g h"), whole(found), strict=True):
        ids = model.tokenizer(label)["input_ids"]
        with torch.no_grad():
            rows = model.model(
                torch.tensor([model.tokenizer(TEXT)["input_ids"]]), decoder_input_ids=torch.tensor([[0, *ids[:-1]]])
            ).logits[0]
        rows = rows.log_softmax(-1)
        assert value == pytest.approx(float(sum(rows[i, token] for i, token in enumerate(ids))), abs=1e-4)


def test_texts_side_by_side_are_each_by_itself() -> None:
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    several = [asked(model, [" f", " g h"], text) for text in (TEXT, "x y", "b c d e f g h")]
    for one, row in zip(several, log_probabilities(several), strict=True):
        assert row.tolist() == pytest.approx(whole(one), abs=1e-4)


def test_labels_that_are_one_to_the_model_are_refused() -> None:
    """Else each would have half of its probability."""
    for model, labels in (
        (classifier("Sequence"), ["POSITIVE", 2]),
        (ats.Model(tiny("llama"), copy_tokenizer()), ["f", " f"]),
    ):
        with pytest.raises(InputError, match="are one to this model"):
            asked(model, list(labels))


def test_labels_that_are_none() -> None:
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    with pytest.raises(InputError, match="each once"):
        asked(model, [])
    with pytest.raises(InputError, match="give labels"):
        all_labels(model)


@pytest.mark.parametrize("kind", ["classifier", "token classifier", "encoder-decoder", "multi-label"])
def test_every_kind_is_evaluated_and_compared(kind: str) -> None:
    made = {
        "classifier": lambda: (classifier("Sequence"), {}),
        "multi-label": lambda: (classifier("Sequence", problem_type="multi_label_classification"), {"target": 1}),
        "token classifier": lambda: (classifier("Token"), {"target": 1}),
        "encoder-decoder": lambda: (ats.Model(tiny("t5", sharp=2.0), copy_tokenizer()), {"labels": [" f", " g h"]}),
    }
    model, given = made[kind]()
    measured = ["comprehensiveness", "soft_sufficiency", "completeness_error", "sensitivity"]
    found = ats.evaluate(model, [TEXT], ["gradient", "deletion"], measured, replacement="pad", **given)
    assert {row.method for row in found.rows} == {"gradient", "deletion", "random"}
    assert all(0 <= row.probability <= 1 for row in found.rows)
    if kind != "token classifier":
        compared = ats.compare(model, TEXT, "a x c d e", **({} if "labels" not in given else given))
        total = sum(p for _, p in compared.left.probabilities)
        assert (total == pytest.approx(1)) == (kind != "multi-label")
