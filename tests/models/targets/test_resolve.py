"""Targets of every kind of model, against plain passes; continuations and their places in the text."""

import pytest
import torch
from planted import copy_tokenizer
from tiny_models import classifier, tiny

import attnscope as ats
from attnscope.errors import InputError, ModelError, TextTooLongError
from attnscope.models.inputs.continuation import continued
from attnscope.models.inputs.encode import encode
from attnscope.models.targets.readout import values
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Target

TEXT = "a b c d"


def value(model: ats.Model, text: str, **target: object) -> float:
    objective = resolve(model, encode(model.tokenizer, text), Target(**target))
    return sum(v.item() for v in values(model.model, objective.readouts))


def logits(model: ats.Model, text: str) -> torch.Tensor:
    with torch.no_grad():
        return model.model(**model.tokenizer(text, return_tensors="pt")).logits[0]


def test_a_continuations_quantities() -> None:
    model = ats.Model(tiny("llama"), copy_tokenizer())
    target = model.tokenizer("e f")["input_ids"]
    plain = logits(model, "a b c d e f")[3:5]
    logs = plain.log_softmax(-1)[[0, 1], target]
    assert value(model, TEXT, target=" e f") == pytest.approx(logs.sum().item(), rel=1e-5)
    assert value(model, TEXT, target=" e f", quantity="loss") == pytest.approx(-logs.mean().item(), rel=1e-5)
    assert value(model, TEXT, target=" e f", quantity="probability") == pytest.approx(logs.sum().exp().item(), rel=1e-4)
    assert value(model, TEXT, target=" e f", quantity="logit") == pytest.approx(
        plain[[0, 1], target].sum().item(), rel=1e-5
    )


def test_classes_by_name_and_index() -> None:
    model = classifier("Sequence")
    logs = logits(model, TEXT).log_softmax(-1)
    assert value(model, TEXT, target="POSITIVE") == pytest.approx(logs[2].item(), rel=1e-5)
    assert value(model, TEXT, target=0) == pytest.approx(logs[0].item(), rel=1e-5)
    assert value(model, TEXT, target=2, against="NEGATIVE") == pytest.approx((logs[2] - logs[0]).item(), rel=1e-4)
    assert value(model, TEXT) == pytest.approx(logs.max().item(), rel=1e-5), "its own prediction"
    assert value(model, TEXT, quantity="loss") == pytest.approx(-logs.max().item(), rel=1e-5)
    with pytest.raises(InputError, match=r"no label 'POSITVE'.*'POSITIVE'"):
        value(model, TEXT, target="POSITVE")
    with pytest.raises(InputError, match="writes text"):
        value(model, TEXT, generate=3)


def test_a_multi_label_classifier_has_independent_probabilities() -> None:
    model = classifier("Sequence", problem_type="multi_label_classification")
    expected = logits(model, TEXT).sigmoid()[2].item()
    assert value(model, TEXT, target="POSITIVE", quantity="probability") == pytest.approx(expected, rel=1e-5)


def test_a_regression_of_several_outputs_has_each_as_it_is() -> None:
    model = classifier("Sequence", problem_type="regression")
    outputs = logits(model, TEXT)
    assert value(model, TEXT, target=2) == pytest.approx(outputs[2].item(), rel=1e-5)
    assert value(model, TEXT, target=2, against=0) == pytest.approx((outputs[2] - outputs[0]).item(), rel=1e-4)
    with pytest.raises(InputError, match="made for regression and so no probabilities"):
        value(model, TEXT, target=2, quantity="probability")


def test_a_tokens_label() -> None:
    model = classifier("Token")
    logs = logits(model, TEXT).log_softmax(-1)
    assert value(model, TEXT, target="NEUTRAL", position="c") == pytest.approx(logs[2, 1].item(), rel=1e-5)
    assert value(model, TEXT, target="NEUTRAL", position=-1) == pytest.approx(logs[3, 1].item(), rel=1e-5)
    assert value(model, TEXT, target="NEUTRAL") == pytest.approx(logs[:, 1].max().item(), rel=1e-5)
    deleted = ats.explain(model, TEXT, method="deletion", target="NEUTRAL", position="c", signed=True)
    assert deleted.scores[2] == 0
    assert deleted.measured.fixed == (2,)
    less = logits(model, "a c d").log_softmax(-1)
    assert deleted.scores[1] == pytest.approx((logs[2, 1] - less[1, 1]).item(), rel=1e-3, abs=1e-6)


def test_a_masked_position(rxnmapper: ats.Model) -> None:
    text = "CCO>>CC=O"
    ids = rxnmapper.tokenizer(text)["input_ids"]
    masked = list(ids)
    masked[3] = rxnmapper.tokenizer.mask_token_id
    with torch.no_grad():
        logs = rxnmapper.model(input_ids=torch.tensor([masked])).logits[0, 3].log_softmax(-1)
    assert value(rxnmapper, text, position=3) == pytest.approx(logs[ids[3]].item(), rel=1e-4)
    other = rxnmapper.tokenizer("N", add_special_tokens=False)["input_ids"][0]
    assert value(rxnmapper, text, position=3, target="N") == pytest.approx(logs[other].item(), rel=1e-4)
    with pytest.raises(InputError, match="has 2 tokens and the mask 1"):
        value(rxnmapper, text, position=3, target="CC")


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_the_target_text_of_an_encoder_decoder(family: str) -> None:
    model = ats.Model(tiny(family, sharp=1.0), copy_tokenizer())
    labels = model.tokenizer("e f g", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        loss = model.model(**model.tokenizer(TEXT, return_tensors="pt"), labels=labels).loss.item()
    assert value(model, TEXT, target="e f g", quantity="loss") == pytest.approx(loss, rel=1e-4)
    result = ats.explain(model, TEXT, "gradient", target="e f g", per_token=True)
    assert result.scores.shape == (3, 4)
    assert ats.explain(model, TEXT, "gradient", generate=3).asked.target.startswith("log-probability of the generation")


def test_what_does_not_fit_is_refused(minilm: ats.Model, rxnmapper: ats.Model) -> None:
    with pytest.raises(ModelError, match="no language-model head"):
        value(minilm, "some text", target="x")
    with pytest.raises(ModelError, match="does not continue a text"):
        continued(rxnmapper, encode(rxnmapper.tokenizer, "CCO"), "C")
    model = ats.Model(tiny("llama"), copy_tokenizer())
    with pytest.raises(TextTooLongError, match="have 97 tokens and the model takes 96"):
        value(model, " ".join("a" * 95), target=" b c")
    with pytest.raises(InputError, match="is not a text"):
        value(model, TEXT, target=3)
    for family in ("llama", "t5"):
        with pytest.raises(InputError, match="per_token=True takes"):
            value(ats.Model(tiny(family), copy_tokenizer()), TEXT, per_token=True)
