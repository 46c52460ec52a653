"""Labels by name and index, the tokens that they are about, and masked words; `test_resolve.py` checks their values."""

import pytest
import torch
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import classifier, tiny

import attnscope as ats
from attnscope.errors import InputError, ModelError, QueryError
from attnscope.models.inputs.encode import encode
from attnscope.models.targets.labels import label_name, label_names, label_of, token_positions
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Objective, Target


def asked(model: ats.Model, text: str = "a b c", **target: object) -> Objective:
    return resolve(model, encode(model.tokenizer, text), Target(**target))


def test_names_and_indices(monkeypatch: pytest.MonkeyPatch) -> None:
    model = classifier("Sequence")
    assert label_names(model.model) == {0: "NEGATIVE", 1: "NEUTRAL", 2: "POSITIVE"}
    assert [label_of(model, label) for label in ("POSITIVE", 2, 0)] == [2, 2, 0]
    # An index as the command line and tables have it; a label that is called so comes first.
    assert [label_of(model, text) for text in ("2", "0")] == [2, 0]
    assert [label_name(model, label) for label in ("2", 2, "POSITIVE", "x")] == [*["POSITIVE"] * 3, "x"]
    named = classifier("Sequence")
    monkeypatch.setattr(named.model.config, "id2label", {0: "1", 1: "0", 2: "x"})
    assert [label_of(named, label) for label in ("1", "0", 1, "2")] == [0, 1, 1, 2]
    assert [label_name(named, label) for label in ("1", 1, "2")] == ["1", "0", "x"]
    for wrong in (3, True, "positive", "3", "-1", "1.0"):
        with pytest.raises(InputError, match="no label"):
            label_of(model, wrong)


def test_a_predicted_label_is_said_to_be_one() -> None:
    model = classifier("Sequence")
    with torch.no_grad():
        likeliest = int(model.model(**model.tokenizer("a b c", return_tensors="pt")).logits.argmax())
    predicted = asked(model)
    assert predicted.readouts[0].ids == (likeliest,)
    assert predicted.explained == f"log-probability of the predicted label {label_names(model.model)[likeliest]!r}"
    contrast = asked(model, target="POSITIVE", against=0)
    assert contrast.readouts[0].signs == (1, -1)
    assert contrast.explained == "log-probability of the label 'POSITIVE' minus that of 'NEGATIVE'"
    with pytest.raises(InputError, match="one output and so no probabilities"):
        asked(classifier("Sequence", num_labels=1), quantity="probability")


def test_the_tokens_of_a_position() -> None:
    model = classifier("Token")
    encoded = encode(model.tokenizer, "a b c")
    assert token_positions(encoded, "b") == [1]
    assert token_positions(encoded, -1) == [2]
    for wrong in (3, -4, True):
        with pytest.raises(QueryError, match="tokens 0 to 2"):
            token_positions(encoded, wrong)
    at = asked(model, target="POSITIVE", position="b")
    assert (at.readouts[0].positions, at.fixed) == ((1,), (1,))
    anywhere = asked(model, target="POSITIVE")
    assert anywhere.readouts[0].highest
    assert anywhere.explained == "log-probability of the label 'POSITIVE' where it is likeliest"
    with pytest.raises(InputError, match="give position too"):
        asked(model, target="POSITIVE", against="NEGATIVE")
    with pytest.raises(InputError, match="give position too"):
        asked(model, target="POSITIVE", quantity="loss")


def test_a_masked_word_and_a_mask_in_the_text() -> None:
    tokenizer = copy_tokenizer()
    tokenizer.add_special_tokens({"mask_token": "[MASK]"})
    watch(tokenizer)
    model = ats.Model(tiny("bert"), tokenizer)
    mask = tokenizer.mask_token_id
    word = asked(model, position="b")
    assert word.readouts[0].inputs["input_ids"][1] == mask
    assert list(word.readouts[0].ids) == [encode(tokenizer, "a b c").inputs["input_ids"][1]]
    written = asked(model, "a [MASK] c", target="b")
    assert written.readouts[0].positions == (1,)
    assert written.readouts[0].ids == word.readouts[0].ids
    with pytest.raises(InputError, match=r"the text has no \[MASK\]"):
        asked(model, target="b")
    with pytest.raises(ModelError, match="no mask token"):
        asked(ats.Model(tiny("bert"), copy_tokenizer()), position="b")


def test_a_label_goes_by_the_name_in_the_config_if_it_has_one() -> None:
    model = classifier("Sequence")
    assert label_name(model, 2) == "POSITIVE"
    assert label_name(model, 7) == "7"
    assert label_name(model, " a continuation") == " a continuation"


def test_a_config_without_names() -> None:
    model = classifier("Sequence")
    model.model.config.id2label = None
    watch(model)
    assert label_name(model, 2) == "2"
