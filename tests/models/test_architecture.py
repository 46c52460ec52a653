"""What a model is, and its parts, over the families."""

from copy import deepcopy

import numpy as np
import pytest
import torch
import transformers as hf
from planted import CopyBack, copy_tokenizer
from snapshot import watch
from tiny_models import CAUSAL, ENCODER_DECODER, GROUPED, MASKED, SIZE, classifier, tiny

import attnscope as ats
from attnscope.errors import ModelError
from attnscope.models.architecture import (
    accepted,
    configured,
    embedding_layer,
    is_encoder_decoder,
    reads_ahead,
    self_attention_body,
    task_of,
)
from reference.textbook import eager_attention


@pytest.mark.parametrize(
    ("families", "task"), [(CAUSAL, "causal"), (MASKED, "masked"), (ENCODER_DECODER, "encoder-decoder")]
)
def test_tasks(families: dict[str, object], task: str) -> None:
    for family in families:
        net = tiny(family)
        assert task_of(net) == task, family
        assert is_encoder_decoder(net) == (task == "encoder-decoder")
        assert embedding_layer(net).weight.shape[0] == 64


def test_classifiers_a_bare_body_and_a_model_of_an_unknown_name() -> None:
    assert task_of(classifier("Sequence").model) == "classifier"
    assert task_of(classifier("Token").model) == "token classifier"
    assert task_of(CopyBack.make(2)) == "causal"
    bare = hf.BertModel(hf.BertConfig(**SIZE)).eval()
    watch(bare)
    assert task_of(bare) == ""
    assert self_attention_body(bare) is bare


def test_the_body_reads_the_text() -> None:
    causal, both = tiny("llama"), tiny("t5")
    assert self_attention_body(causal) is causal.model
    assert self_attention_body(both) is both.get_encoder()


def test_the_decoder_of_an_encoder_decoder_alone_reads_the_text() -> None:
    config = deepcopy(tiny("bart").config)
    config.is_decoder, config.is_encoder_decoder = True, False
    net = hf.BartForCausalLM(config).eval()
    watch(net)
    assert self_attention_body(net) is net.model.decoder
    text = "abcabdabeabc"
    ids = {"input_ids": torch.tensor([copy_tokenizer()(text)["input_ids"]])}
    shown = ats.attention(ats.Model(net, copy_tokenizer()), text, layer=1, head=2, query=-1)
    assert shown.token_scores == pytest.approx(eager_attention(net, ids)[1][0, 2, -1].numpy(), abs=1e-6)


def test_only_what_a_forward_names_is_passed_and_never_a_cache() -> None:
    given = {"input_ids": 1, "attention_mask": 2, "token_type_ids": 3}
    assert accepted(tiny("llama"), given) == {"input_ids": 1, "attention_mask": 2, "use_cache": False}
    assert accepted(tiny("bert"), given) == given
    assert accepted(CopyBack.make(2), {**given, "use_cache": True}) == {"input_ids": 1, "attention_mask": 2}


def test_layers_that_differ_are_as_large_as_the_largest() -> None:
    sizes = GROUPED | {"head_dim": 8, "hidden_size_per_layer_input": 8, "vocab_size_per_layer_input": 64}
    listed = hf.Gemma3nForCausalLM(
        hf.Gemma3nTextConfig(**sizes | {"intermediate_size": [48, 64, 48]}, num_kv_shared_layers=0, laurel_rank=4)
    )
    assert configured(listed, "intermediate_size") == 64
    by_layer = hf.EmbeddingGemma2TextModel(
        hf.EmbeddingGemma2TextConfig(**sizes, layer_types=["sliding_attention", "full_attention", "full_attention"])
    )
    heads = {layer.self_attn.head_dim for layer in by_layer.layers}
    assert len(heads) == 2
    assert configured(by_layer, "head_dim") == max(heads)
    assert configured(by_layer, "no_such_setting") is None
    for net in (listed, by_layer):
        model = ats.Model(net.eval(), copy_tokenizer())
        assert ats.plan(model, tokens=8, method="rollout").bytes > 0
        watch(net)
        inputs = {"input_ids": model.tokenizer("a c e g", return_tensors="pt")["input_ids"]}
        last = eager_attention(net, inputs)[-1][0, 1, -1]
        row = ats.attention(model, "a c e g", layer=-1, head=1, query=-1).token_scores
        torch.testing.assert_close(torch.tensor(row).float(), last, atol=1e-5, rtol=0)


def test_a_token_of_several_vectors_has_no_distance() -> None:
    sizes = GROUPED | {"head_dim": 8, "hidden_size_per_layer_input": 8, "vocab_size_per_layer_input": 64}
    net = hf.Gemma3nForCausalLM(
        hf.Gemma3nTextConfig(**sizes | {"intermediate_size": [48] * 3}, num_kv_shared_layers=0, laurel_rank=4)
    )
    with pytest.raises(ModelError, match="several vectors of each token"):
        ats.explain(ats.Model(net.eval(), copy_tokenizer()), "a c e", method="value_zeroing")


def two_ways(name: str) -> hf.PreTrainedModel:
    torch.manual_seed(0)
    if name == "xlm":
        sizes = {"vocab_size": 64, "emb_dim": 32, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 64}
        config = hf.XLMConfig(**sizes, n_langs=1, init_std=0.3, embed_init_std=0.3, pad_index=0)
        return hf.XLMWithLMHeadModel(config).eval()
    return hf.BertLMHeadModel(hf.BertConfig(**SIZE, is_decoder=name == "decoder")).eval()


def test_a_model_that_reads_both_ways_predicts_its_own_tokens() -> None:
    net, text = two_ways("xlm"), "a c e g b"
    assert task_of(net) == "masked"
    ids = copy_tokenizer()(text, return_tensors="pt")["input_ids"]
    loss = float(deepcopy(net)(input_ids=ids, labels=ids).loss.detach())
    watch(net)
    result = ats.explain(ats.Model(net, copy_tokenizer()), text, method="gradient")
    assert result.measured.value == pytest.approx(loss, rel=1e-5)


def test_a_mask_is_asked_of_a_bert_that_is_no_decoder() -> None:
    assert task_of(two_ways("decoder")) == "causal"
    net, tokenizer = two_ways("encoder"), deepcopy(copy_tokenizer())
    assert task_of(net) == "masked"
    tokenizer.add_special_tokens({"mask_token": "[MASK]"})
    ids = tokenizer("a c [MASK] g", return_tensors="pt")["input_ids"]
    (target,) = tokenizer("b")["input_ids"]
    expected = float(deepcopy(net)(input_ids=ids).logits[0, 2].log_softmax(-1)[target].detach())
    result = ats.explain(ats.Model(net, tokenizer), "a c [MASK] g", method="gradient", target="b")
    assert result.measured.value == pytest.approx(expected, rel=1e-5)


def test_the_embedding_layer_of_t5s_encoder_alone_is_the_one_that_runs() -> None:
    config = hf.T5Config(vocab_size=64, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, num_labels=3)
    torch.manual_seed(0)
    model = ats.Model(hf.T5ForTokenClassification(config).eval(), copy_tokenizer())
    ran: list[torch.nn.Module] = []
    handle = embedding_layer(model.model).register_forward_hook(lambda layer, *_: ran.append(layer))
    model.model(input_ids=torch.tensor([[4, 5, 6]]))
    handle.remove()
    assert len(ran) == 1
    for method in ("gradient", "integrated_gradients", "gim"):
        assert np.abs(ats.explain(model, "a b c", method=method, target=1, position="b").scores).max() > 0


def test_the_embedding_layer_is_found_where_the_head_wants_an_end_token() -> None:
    sizes = {"vocab_size": 64, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4}
    config = hf.T5Config(**sizes, decoder_start_token_id=0, eos_token_id=13, num_labels=3)
    torch.manual_seed(0)
    net = hf.T5ForSequenceClassification(config).eval()
    with pytest.raises(ValueError, match="<eos>"):
        net(input_ids=torch.tensor([[0, 1, 2, 3]]))
    assert embedding_layer(net) is net.transformer.encoder.embed_tokens


def test_a_model_that_is_no_forecast_is_refused_by_name() -> None:
    """XLNet predicts in an order of its own; CPM-Ant and PaliGemma read what they are to predict."""
    xlnet = hf.XLNetLMHeadModel(hf.XLNetConfig(vocab_size=64, d_model=32, n_layer=2, n_head=4, d_inner=48)).eval()
    with pytest.raises(ModelError, match="in an order of their own"):
        ats.explain(ats.Model(xlnet, copy_tokenizer()), "a b c d", "gradient", target=" e")
    sizes = {"vocab_size": 64, "hidden_size": 32, "num_attention_heads": 4, "dim_head": 8, "dim_ff": 48}
    torch.manual_seed(0)
    ant = hf.CpmAntForCausalLM(hf.CpmAntConfig(**sizes, num_hidden_layers=2, init_std=0.5)).eval()
    assert reads_ahead(ant)
    model = ats.Model(ant, copy_tokenizer())
    with pytest.raises(ModelError, match="give a target of one token"):
        ats.explain(model, "a b c d", method="deletion", target=" e f")
    with pytest.raises(ModelError, match="tokens of its own before the text"):
        ats.explain(model, "a b c d", method="gradient", target=" e")
    assert ats.explain(model, "a b c d", method="deletion", target=" e").scores.any()


def test_what_changes_by_chance_is_refused_by_name() -> None:
    class Hashing(hf.LlamaForCausalLM):
        def forward(self, input_ids: torch.Tensor) -> object:
            output = super().forward(input_ids=input_ids)
            output.logits = output.logits + torch.randn(1)
            return output

    model = ats.Model(Hashing(hf.LlamaConfig(**GROUPED)).eval(), copy_tokenizer())
    with pytest.raises(ModelError, match="other numbers for the same text each time"):
        ats.explain(model, "a b c d")


def test_what_hashes_by_chance_is_refused_by_name_however_short_the_trial() -> None:
    """Reformer draws hash buckets for what is longer than a chunk, which a short trial does not see."""
    sizes = {"vocab_size": 64, "hidden_size": 32, "num_attention_heads": 2, "attention_head_size": 16}
    chunks = {"local_attn_chunk_length": 4, "lsh_attn_chunk_length": 4, "axial_pos_embds": False}
    text = "a b c d e f a b c d e f"
    for seed in (None, 3):
        config = hf.ReformerConfig(**sizes, **chunks, attn_layers=["lsh"], hash_seed=seed, num_labels=3)
        model = ats.Model(hf.ReformerForSequenceClassification(config).eval(), copy_tokenizer())
        if seed is None:
            with pytest.raises(ModelError, match="Reformer: hash_seed"):
                ats.explain(model, text, method="deletion", target=1)
        else:
            once, again = (ats.explain(model, text, method="deletion", target=1).scores for _ in range(2))
            assert np.array_equal(once, again)
    sizes = {"vocab_size": 64, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 48}
    yoso = hf.YosoForMaskedLM(hf.YosoConfig(**sizes, num_hidden_layers=1, use_expectation=False)).eval()
    with pytest.raises(ModelError, match="YOSO: use_expectation"):
        ats.explain(ats.Model(yoso, copy_tokenizer()), "a b c", method="deletion", position="b")


def _prophet(causal: bool) -> ats.Model:
    sizes = {"vocab_size": 64, "hidden_size": 32, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48}
    layers = {"num_encoder_layers": 2, "num_decoder_layers": 2, "num_decoder_attention_heads": 2}
    ends = {"decoder_start_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "num_encoder_attention_heads": 2}
    config = hf.ProphetNetConfig(**sizes, **layers, **ends, init_std=0.5)
    torch.manual_seed(0)
    made = hf.ProphetNetForCausalLM if causal else hf.ProphetNetForConditionalGeneration
    return ats.Model(made(config).eval(), copy_tokenizer())


def test_what_predicts_otherwise_in_a_longer_text_is_no_causal_model() -> None:
    """ProphetNet's first token already has other logits where more tokens follow, whatever they are."""
    model = _prophet(causal=True)
    assert reads_ahead(model.model)
    with pytest.raises(ModelError, match="give a target of one token"):
        ats.explain(model, "a b c", method="deletion", target=" e f")
    texts = ["a b c", "a b c d e f a b"]
    for one, together in zip(texts, ats.explain(model, texts, method="deletion", target=" e"), strict=True):
        alone = ats.explain(model, one, method="deletion", target=" e").scores
        np.testing.assert_allclose(together.scores, alone, atol=1e-4)
        assert alone.any()
    whole, shorter = (_log_probability(model, text, " e") for text in ("a b c", "a c"))
    (found,) = ats.explain(model, ["a b c"], method="deletion", target=" e", signed=True)
    assert found.scores[1] == pytest.approx(whole - shorter, abs=1e-4)


def _log_probability(model: ats.Model, text: str, following: str) -> float:
    ids, (token,) = model.tokenizer(text).input_ids, model.tokenizer(following, add_special_tokens=False).input_ids
    with torch.no_grad():
        return float(model.model(input_ids=torch.tensor([ids])).logits[0, -1].log_softmax(-1)[token])


def test_a_decoder_that_predicts_otherwise_in_a_longer_text_is_asked_for_one_token() -> None:
    model = _prophet(causal=False)
    with pytest.raises(ModelError, match="give generate=1, or a target"):
        ats.explain(model, "a b c", method="gradient", generate=3, per_token=True)
    assert ats.explain(model, "a b c", method="gradient", generate=1).scores.any()
    assert ats.explain(model, "a b c", method="gradient", target="e f").scores.any()
