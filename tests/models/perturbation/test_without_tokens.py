"""The target's value without some tokens, against one plain pass a set."""

import pytest
import torch
from planted import CopyBack, copy_tokenizer
from tiny_models import classifier, tiny

import attnscope as ats
from attnscope.errors import InputError
from attnscope.models.inputs.encode import encode
from attnscope.models.perturbation import without_tokens
from attnscope.models.perturbation.without_tokens import REPLACEMENTS, default_replacement, values_without_tokens
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Target
from attnscope.models.typed import text_ids

SETS = [frozenset({1}), frozenset({0, 3}), frozenset()]


def log_probability(model: ats.Model, ids: list[int], target: int) -> float:
    with torch.no_grad():
        return float(model.model(torch.tensor([ids])).logits[0, -1].log_softmax(-1)[target])


@pytest.mark.parametrize("reuse", [True, False])
@pytest.mark.parametrize("replacement", ["delete", "pad"])
def test_a_continuation_on_every_changed_text(replacement: str, reuse: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not reuse:
        monkeypatch.setattr(without_tokens, "reuses_prefix", lambda *_: False)
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    ids, (target,) = text_ids(model.tokenizer, "a b c d e"), text_ids(model.tokenizer, "f")
    objective = resolve(model, encode(model.tokenizer, "a b c d e"), Target(" f"))
    found = values_without_tokens(model, objective, SETS, replacement)
    pad = model.tokenizer.pad_token_id
    for removed, value in zip(SETS, found[:, 0].tolist(), strict=True):
        changed = [pad if i in removed else x for i, x in enumerate(ids) if replacement == "pad" or i not in removed]
        assert value == pytest.approx(log_probability(model, changed, target), abs=1e-4)


@pytest.mark.parametrize("replacement", ["delete", "pad", "zero", "mean"])
def test_a_copy_needs_the_token_that_it_copies_and_no_other(replacement: str) -> None:
    """Two places back from the last token is c: without it the value falls, without the first nothing moves."""
    model = ats.Model(CopyBack.make(2), copy_tokenizer())
    objective = resolve(model, encode(model.tokenizer, "a b c d e"), Target(" c"))
    whole, without_first, without_copied = values_without_tokens(
        model, objective, [frozenset(), frozenset({0}), frozenset({2})], replacement
    )[:, 0].tolist()
    assert without_first == pytest.approx(whole, abs=1e-6)
    assert without_copied < whole - 0.5


def test_what_was_read_before_the_change_stays_to_the_last_bit() -> None:
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    objective = resolve(model, encode(model.tokenizer, "a b c d e"), Target(" f g", per_token=True))
    found = values_without_tokens(model, objective, [frozenset(), frozenset({5})], "pad")
    assert found[0, 0] == found[1, 0]
    assert found[0, 1] != found[1, 1]


def test_what_cannot_be_asked() -> None:
    model = classifier("Token")
    objective = resolve(model, encode(model.tokenizer, "a b c"), Target("POSITIVE", position=1))
    with pytest.raises(InputError, match="about a token that was to be removed"):
        values_without_tokens(model, objective, [frozenset({1})], "delete")
    with pytest.raises(InputError, match=f"no replacement 'blur'.*{', '.join(REPLACEMENTS)}"):
        values_without_tokens(model, objective, [frozenset({0})], "blur")


def test_the_default_is_the_mask_token_where_there_is_one(rxnmapper: ats.Model) -> None:
    assert default_replacement(rxnmapper) == "mask"
    assert default_replacement(ats.Model(tiny("llama"), copy_tokenizer())) == "mean"
