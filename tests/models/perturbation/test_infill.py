"""What a masked language model puts in the place of tokens that are taken away."""

import pytest
import torch
from snapshot import watch
from tiny_models import small

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.models.inputs.encode import encode
from attnscope.models.perturbation.infill import infilled
from attnscope.models.perturbation.variants import variants_of
from attnscope.models.targets.readout import Readout
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Target


def filling() -> ats.Model:
    model = small("bert", sharp=2.0)
    model.tokenizer.add_special_tokens({"mask_token": "[MASK]"})
    watch(model.tokenizer)
    return model


def asked(model: ats.Model, text: str) -> Readout:
    return resolve(model, encode(model.tokenizer, text), Target()).readouts[0]


def test_masks_are_filled_with_the_likeliest_tokens_given_the_rest() -> None:
    model = filling()
    readout = asked(model, "a b c d e f g")
    ids = list(readout.inputs["input_ids"])
    sets = [frozenset({2}), frozenset({1, 4}), frozenset(), frozenset({3, 4, 5})]
    found = infilled(model, readout, sets)
    special = model.tokenizer.all_special_ids
    for places, filled in zip(sets, found, strict=True):
        masked = [model.tokenizer.mask_token_id if i in places else old for i, old in enumerate(ids)]
        with torch.no_grad():
            logits = model.model(torch.tensor([masked])).logits[0]
        logits[:, special] = -torch.inf
        assert filled == [int(logits[i].argmax()) if i in places else old for i, old in enumerate(ids)]
        assert not {filled[i] for i in places} & set(special)
    assert variants_of(model, readout, sets, "infill")[1].readout.inputs["input_ids"] == found[1]


def test_a_special_token_fills_nothing() -> None:
    model = filling()
    readout = asked(model, "a b c d")
    likeliest = infilled(model, readout, [frozenset({2})])[0][2]
    letter = model.tokenizer.convert_ids_to_tokens(likeliest)
    model.tokenizer.add_special_tokens({"additional_special_tokens": [letter]})
    watch(model.tokenizer)
    assert infilled(model, readout, [frozenset({2})])[0][2] != likeliest


def test_a_text_with_other_words_in_it_is_what_is_measured() -> None:
    model = filling()
    text = "a b c [MASK] e"
    found, masked = (
        ats.evaluate(model, [text], ["deletion"], ["comprehensiveness"], target="d", replacement=one)
        for one in ("infill", "mask")
    )
    values = [row.values["comprehensiveness"] for row in found.rows]
    assert values != [row.values["comprehensiveness"] for row in masked.rows]
    assert all(value is not None for value in values)


@pytest.mark.parametrize("name", ["llama", "bart"])
def test_other_models_are_refused(name: str) -> None:
    model = small(name)
    with pytest.raises(ModelError, match="no masked language model"):
        ats.evaluate(model, ["a b c"], ["deletion"], ["comprehensiveness"], target="d", replacement="infill")
