"""A readout of a text with tokens removed: which entries are left, and where they are read."""

import pytest
import torch
from planted import copy_tokenizer
from tiny_models import classifier, tiny

import attnscope as ats
from attnscope.errors import InputError
from attnscope.models.inputs.encode import encode
from attnscope.models.perturbation.variants import Variant, in_order, neutral_id, overwriting, variant_of
from attnscope.models.targets.readout import Readout
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Target
from attnscope.models.typed import text_ids


def asked(target: str | None, text: str = "a b c d") -> tuple[ats.Model, Readout]:
    model = ats.Model(tiny("llama"), copy_tokenizer())
    return model, resolve(model, encode(model.tokenizer, text), Target(target)).readouts[0]


def test_a_continuation_moves_with_what_is_left() -> None:
    model, readout = asked(" e f")
    variant = variant_of(model, readout, frozenset({1, 2}), "delete")
    assert variant.readout.inputs["input_ids"] == text_ids(model.tokenizer, "a d e")
    assert variant.readout.positions == (1, 2)
    assert (variant.entries, variant.first) == ((0, 1), 1)
    assert variant_of(model, readout, frozenset(), "delete").readout is readout


def test_entries_about_removed_tokens_go() -> None:
    model, readout = asked(None)  # the loss of the text: entry k is about token k + 1
    variant = variant_of(model, readout, frozenset({1}), "delete")
    assert variant.entries == (1, 2)
    assert variant.readout.positions == (0, 1)
    assert list(variant.readout.ids) == text_ids(model.tokenizer, "c d")
    assert variant_of(model, readout, frozenset({0}), "delete").entries == (1, 2), "nothing predicts a first token"


def test_where_nothing_is_left_before_the_target_the_start_token_stands_in() -> None:
    model, readout = asked(" e f")
    variant = variant_of(model, readout, frozenset(range(4)), "delete")
    pad = model.tokenizer.pad_token_id  # this tokenizer has no other that could start a text
    assert variant.readout.inputs["input_ids"] == [pad, *text_ids(model.tokenizer, "e")]
    assert variant.readout.positions == (0, 1)


def test_overwritten_tokens_keep_every_entry() -> None:
    model, readout = asked(None)
    variant = variant_of(model, readout, frozenset({1, 3}), "pad")
    pad = model.tokenizer.pad_token_id
    assert [i == pad for i in variant.readout.inputs["input_ids"]] == [False, True, False, True]
    assert variant.readout.ids == readout.ids, "what is asked for stays"
    assert variant_of(model, readout, frozenset({3, 1}), "zero").overwritten == (1, 3)
    assert variant_of(model, readout, frozenset({3, 1}), "zero").readout is readout


def test_embeddings_are_overwritten_from_where_the_pass_begins() -> None:
    _, readout = asked(None)
    variants = [Variant(readout, (), 0, (2, 3)), Variant(readout, (), 0)]
    change = in_order(overwriting(variants, torch.full((2,), 7.0), start=2), 2)
    assert change is not None
    embeddings = torch.zeros(2, 3, 2)
    changed = change(embeddings)
    assert changed[:, :, 0].tolist() == [[7, 7, 0], [0, 0, 0]]
    assert not embeddings.any(), "the model's own are not written to"
    assert in_order(overwriting(variants, None), 2) is None


def test_what_cannot_be_removed() -> None:
    model, readout = asked(None, "a b")
    with pytest.raises(InputError, match="nothing is left to predict"):
        variant_of(model, readout, frozenset({1}), "delete")
    labels = classifier("Sequence")
    readout = resolve(labels, encode(labels.tokenizer, "a b")).readouts[0]
    with pytest.raises(InputError, match="nothing to read"):
        variant_of(labels, readout, frozenset({0, 1}), "delete")
    with pytest.raises(InputError, match="no neutral word of one token"):
        neutral_id(labels)


def test_a_neutral_word(smollm2: ats.Model) -> None:
    assert smollm2.tokenizer.decode([neutral_id(smollm2)]) == " the"
