"""Batches under a budget of tokens, padding, and texts encoded one by one."""

from copy import deepcopy

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


def test_a_decoder_that_reads_its_padding_and_experts_with_little_room_run_one_text_at_a_time() -> None:
    prophet = {"vocab_size": 64, "hidden_size": 32, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "init_std": 0.3}
    prophet |= {"num_encoder_layers": 2, "num_decoder_layers": 2, "num_encoder_attention_heads": 4}
    prophet |= {"num_decoder_attention_heads": 4, "max_position_embeddings": 96, "decoder_start_token_id": 1}
    switch = {"vocab_size": 64, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4}
    switch |= {"num_experts": 2, "expert_capacity": 4, "decoder_start_token_id": 0, "num_sparse_encoder_layers": 2}
    torch.manual_seed(0)
    for net in (
        hf.ProphetNetForConditionalGeneration(hf.ProphetNetConfig(**prophet)).eval(),
        hf.SwitchTransformersForConditionalGeneration(hf.SwitchTransformersConfig(**switch)).eval(),
    ):
        watch(net)
        model = ats.Model(net, copy_tokenizer())
        texts = ["a b c", "d e f g h i j k l m n o"]
        for text, together in zip(texts, ats.explain(model, texts, method="gradient"), strict=True):
            alone = ats.explain(model, text, method="gradient")
            assert np.abs(together.scores - alone.scores).max() <= 1e-4 * np.abs(alone.scores).max()
        assert budget_for(net, [{"input_ids": [4, 5]}, {"input_ids": [4, 5, 6]}], 4096) == 1


def test_a_model_that_pads_to_its_windows_moves_along_the_texts_own_embeddings() -> None:
    sizes = SIZE | {"attention_window": 4, "max_position_embeddings": 130}
    torch.manual_seed(0)
    model = ats.Model(hf.LongformerForMaskedLM(hf.LongformerConfig(**sizes)).eval(), copy_tokenizer())
    found = ats.explain(model, "a b c d e f", method="integrated_gradients", steps=40)
    assert found.measured.completeness_error < 0.02 * np.abs(found.scores).max() + 1e-4
    assert ats.explain(model, "a b c d e f", method="smooth_grad", samples=2).scores.all()


def test_a_classifier_that_reads_the_end_of_the_batch_takes_one_text_at_a_time() -> None:
    torch.manual_seed(0)
    settings = {"vocab_size": 64, "d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 48, "pad_token_id": 0}
    net = hf.XLNetForSequenceClassification(hf.XLNetConfig(**settings, initializer_range=0.3)).eval()
    watch(net)
    model, short, long = ats.Model(net, copy_tokenizer()), "a c e", "a c e g b d f h a c q r s"
    alone = ats.explain(model, short, method="deletion", target=1)
    beside = ats.explain(model, [short, long], method="deletion", target=1)[0]
    np.testing.assert_allclose(beside.scores, alone.scores, rtol=1e-4, atol=1e-6)


def test_a_text_that_is_read_without_blocks_is_not_read_beside_one_with_them() -> None:
    """BigBird's blocks need a text of more than 28 tokens here; beside a longer one, a short text would have them."""
    blocks = {"attention_type": "block_sparse", "block_size": 4, "num_random_blocks": 1, "initializer_range": 0.5}
    torch.manual_seed(0)
    net = hf.BigBirdForSequenceClassification(hf.BigBirdConfig(**SIZE, **blocks, num_labels=3)).eval()
    watch(net)
    model = ats.Model(net, copy_tokenizer())
    texts = ["a b c d", "a b c d e f " * 12]
    for text, together in zip(texts, ats.explain(model, texts, method="gradient", target=1), strict=True):
        alone = ats.explain(model, text, method="gradient", target=1)
        np.testing.assert_allclose(together.scores, alone.scores, rtol=1e-3)


def test_a_list_for_an_encoder_decoder_that_finds_answers() -> None:
    config = deepcopy(tiny("bart").config)
    config.pad_token_id = 0
    model = ats.Model(hf.BartForQuestionAnswering(config).eval(), copy_tokenizer())
    texts = ["a b c d", "a b c d e f a b"]
    for text, together in zip(texts, ats.attention(model, texts, layer=0, query=-1), strict=True):
        np.testing.assert_allclose(together.scores, ats.attention(model, text, layer=0, query=-1).scores, atol=1e-5)
