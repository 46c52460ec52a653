"""Batches under a budget of tokens, padding, and texts encoded one by one."""

import numpy as np
import pytest
import torch
import transformers as hf
from hypothesis import given
from hypothesis import strategies as st
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import SIZE, tiny

import attnscope as ats
from attnscope.errors import TextError
from attnscope.models.inputs.batching import batches, budget_for, encoded_texts, length_groups, padded, tensors
from attnscope.models.model_facts import facts_of


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 120))
def test_groups_hold_every_index_once_under_the_budget(lengths: list[int], budget: int) -> None:
    groups = list(length_groups(lengths, budget))
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    assert all(len(group) == 1 or len(group) * lengths[group[0]] <= budget or not lengths[group[0]] for group in groups)
    in_order = [lengths[i] for group in groups for i in group]
    assert in_order == sorted(in_order, reverse=True)


def test_padding_goes_on_the_right_under_a_mask() -> None:
    net = tiny("roberta")  # its padding id is 1
    inputs = padded(net, [{"input_ids": [5, 6, 7]}, {"input_ids": [8]}])
    assert inputs["input_ids"].tolist() == [[5, 6, 7], [8, 1, 1]]
    assert inputs["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert "attention_mask" not in padded(net, [{"input_ids": [5, 6]}, {"input_ids": [8, 9]}])
    assert tensors(net, {"input_ids": [5, 6]})["input_ids"].tolist() == [[5, 6]]


def test_batches_keep_the_places_of_their_texts() -> None:
    model = ats.Model(tiny("llama"), copy_tokenizer())
    texts = ["a", "a b c", "a b"]
    encoded = encoded_texts(model, texts)
    found = list(batches(model.model, encoded, budget=4))
    assert [batch.members for batch in found] == [(1,), (2, 0)]
    assert [[text.text for text in batch.encoded] for batch in found] == [["a b c"], ["a b", "a"]]
    assert encoded_texts(model, encoded) == encoded, "what is encoded already stays as it is"
    with pytest.raises(TextError, match="text 1 of 2: the text is empty"):
        encoded_texts(model, ["a", ""])
    with pytest.raises(TextError, match=r"^the text is empty"):
        encoded_texts(model, "")


LEAKY = {
    "fnet": ("FNetForMaskedLM", "FNetConfig", {}),
    "convbert": ("ConvBertForMaskedLM", "ConvBertConfig", {"embedding_size": 32, "head_ratio": 2}),
}


@pytest.mark.parametrize("family", LEAKY)
def test_a_text_in_a_list_scores_as_it_does_alone(family: str) -> None:
    model_class, config_class, more = LEAKY[family]
    torch.manual_seed(0)
    net = getattr(hf, model_class)(getattr(hf, config_class)(**SIZE | more)).eval()
    watch(net)
    model, short, long = ats.Model(net, copy_tokenizer()), "a c e", "a c e g b d f h a c q r s"
    alone = ats.explain(model, short, method="gradient")
    assert facts_of(net).padding_leaks is None, "one text has no padding: nothing to try"
    beside = ats.explain(model, [short, long], method="gradient")[0]
    assert facts_of(net).padding_leaks is True
    np.testing.assert_allclose(beside.token_scores, alone.token_scores, rtol=1e-5)
    assert beside.measured.value == pytest.approx(alone.measured.value, rel=1e-6)


@pytest.mark.parametrize("family", ["llama", "bert", "t5", "deberta_v2"])
def test_texts_are_padded_where_the_model_does_not_read_it(family: str) -> None:
    net = tiny(family)
    same, other = [{"input_ids": [3, 4, 5]}] * 2, [{"input_ids": [3, 4, 5]}, {"input_ids": [3, 4]}]
    assert budget_for(net, same, 64) == 64
    assert facts_of(net).padding_leaks is None
    assert budget_for(net, other, 64) == 64
    assert facts_of(net).padding_leaks is False
