"""Changes to one forward pass: they reach the model, and they are gone afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import numpy as np
import pytest
import torch
import transformers as hf
from planted import copy_tokenizer
from tiny_models import SIZE, small, tiny
from tokenizers import processors
from torch import Tensor, nn

import attnscope as ats
from attnscope.models.hooks import (
    Interrupted,
    embedding_leaf,
    embeddings_replaced,
    forward_replaced,
    interruptible,
    layers_of,
)

IDS = torch.arange(3, 11)[None]


def test_the_leaf_takes_the_gradient_of_the_embeddings() -> None:
    net = tiny("llama")
    embeddings = net.get_input_embeddings()(IDS).detach().requires_grad_()
    (expected,) = torch.autograd.grad(net(inputs_embeds=embeddings).logits.sum(), embeddings)
    with embedding_leaf(net) as leaves:
        logits = net(IDS).logits
    (leaf,) = leaves
    torch.testing.assert_close(torch.autograd.grad(logits.sum(), leaf)[0], expected)
    with embedding_leaf(net, lambda x: x * 0.5) as leaves:
        net(IDS)
    torch.testing.assert_close(leaves[0], embeddings.detach() * 0.5)


def test_an_encoder_decoders_leaf_is_the_encoders() -> None:
    net = tiny("t5")
    decoder = torch.arange(5, 8)[None]
    with embedding_leaf(net) as leaves:
        net(input_ids=IDS, decoder_input_ids=decoder)
    assert [leaf.shape[1] for leaf in leaves] == [IDS.shape[1]]


def test_embeddings_are_changed_once_a_pass() -> None:
    net = tiny("llama")
    with torch.no_grad():
        embeddings = net.get_input_embeddings()(IDS)
        expected = net(inputs_embeds=embeddings * 2).logits
        with embeddings_replaced(net, lambda x: x * 2):
            torch.testing.assert_close(net(IDS).logits, expected)
            torch.testing.assert_close(net.get_input_embeddings()(IDS), embeddings)
        with embeddings_replaced(net, None):
            torch.testing.assert_close(net.get_input_embeddings()(IDS), embeddings)


def test_a_forward_of_the_users_own_comes_back() -> None:
    """Accelerate puts a wrapper there for models that are spread over devices."""
    layer = tiny("llama").lm_head
    assert "forward" not in vars(layer)
    with forward_replaced(layer, lambda _x: "first"):
        with forward_replaced(layer, lambda _x: "second"):
            assert layer(Tensor()) == "second"
        assert layer(Tensor()) == "first"
    assert "forward" not in vars(layer)


@pytest.mark.parametrize("family", ["CTRL", "Git"])
def test_a_model_may_change_its_embeddings_in_place(family: str) -> None:
    sizes = {"vocab_size": 64, "n_embd": 32, "dff": 48, "n_layer": 2, "n_head": 4} if family == "CTRL" else SIZE
    torch.manual_seed(0)
    name = {"CTRL": "CTRLLMHeadModel", "Git": "GitForCausalLM"}[family]
    net = getattr(hf, name)(getattr(hf, f"{family}Config")(**sizes)).eval()
    value = ats.explain(ats.Model(net, copy_tokenizer()), "a b c d", method="gradient").measured.value
    ids = copy_tokenizer()("a b c d", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        logs = net(input_ids=ids).logits[0, :-1].log_softmax(-1)
    assert value == pytest.approx(-logs.gather(1, ids[0, 1:, None]).mean().item(), rel=1e-5)


def _classifier(family: str) -> ats.Model:
    """An encoder–decoder that classifies, with weights large enough for every word to count."""
    settings: dict[str, object] = {"vocab_size": 64, "num_labels": 3, "pad_token_id": 0, "eos_token_id": 2}
    if family == "T5":
        settings |= {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4}
        config = hf.T5Config(**settings, decoder_start_token_id=0)
    else:
        settings |= {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 48}
        settings |= {"decoder_ffn_dim": 48, "encoder_attention_heads": 4, "decoder_attention_heads": 4}
        config = getattr(hf, f"{family}Config")(**settings, init_std=0.3, max_position_embeddings=64)
    torch.manual_seed(0)
    net = getattr(hf, f"{family}ForSequenceClassification")(config).eval()
    tokenizer = copy_tokenizer()
    # The end of a text, which such a classifier looks for, has the id 2.
    closed = processors.TemplateProcessing(single="$A [UNK]", special_tokens=[("[UNK]", 2)])
    tokenizer.backend_tokenizer.post_processor = closed
    return ats.Model(net, hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer, eos_token="[UNK]"))


@contextmanager
def _changed_in_both(net: hf.PreTrainedModel, token: int, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Inside, a token has another embedding: in the encoder, and one place later in the decoder."""
    places = count(token)

    def hook(_module: nn.Module, _args: object, output: Tensor) -> Tensor:
        output = output.clone()
        place = next(places)
        output[:, place] = change(output[:, place])
        return output

    layers = {part.get_input_embeddings() for part in (net.get_encoder(), net.get_decoder())}
    handles = [layer.register_forward_hook(hook) for layer in layers]
    yield
    for handle in handles:
        handle.remove()
    assert next(places) == token + 2


@pytest.mark.parametrize("family", ["Bart", "MBart", "T5"])
def test_a_text_that_encoder_and_decoder_read_counts_for_both(family: str) -> None:
    model = _classifier(family)
    asked = {"target": 1, "quantity": "logit"}
    gradient = ats.explain(model, "a b c d", method="gradient_x_input", **asked)
    covered = ats.explain(model, "a b c d", method="occlusion", replacement="mean", **asked)
    mean = model.model.get_input_embeddings().weight.mean(0)
    inputs = model.tokenizer("a b c d", return_tensors="pt")

    def logit(token: int, change: Callable[[Tensor], Tensor]) -> float:
        with torch.no_grad(), _changed_in_both(model.model, token, change):
            return model.model(**inputs).logits[0, 1].item()

    step = 1e-2
    slopes = [(logit(i, lambda e: e * (1 + step)) - logit(i, lambda e: e * (1 - step))) / (2 * step) for i in range(4)]
    assert np.abs(gradient.scores - slopes).max() < 5e-3 * np.abs(slopes).max()
    falls = [logit(i, lambda e: e) - logit(i, lambda e: mean.expand_as(e)) for i in range(4)]
    assert covered.scores == pytest.approx(falls, rel=1e-3, abs=1e-5)
    texts = ["a b c d", "e f g h i j k l m n"]
    for text, together in zip(texts, ats.explain(model, texts, method="deletion", **asked), strict=True):
        alone = ats.explain(model, text, method="deletion", **asked)
        assert together.scores == pytest.approx(alone.scores, rel=1e-3, abs=1e-5)


def test_the_layers_are_found() -> None:
    assert [type(layer).__name__ for layer in layers_of(tiny("llama"))] == ["LlamaDecoderLayer"] * 3
    assert len(layers_of(tiny("bert"))) == 3
    assert layers_of(nn.Linear(2, 2)) == []


@pytest.mark.parametrize("method", ["gradient", "deletion", "attention"])
def test_a_call_ends_after_any_check(method: str) -> None:
    model = small("llama")
    expected = ats.explain(model, "a b c d e", method, target="f").scores.tolist()
    checks = 0

    def count() -> None:
        nonlocal checks
        checks += 1

    with interruptible(model.model, count):
        assert ats.explain(model, "a b c d e", method, target="f").scores.tolist() == expected
    assert checks >= 3

    for last in range(checks):
        left = last

        def stop() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Interrupted

        with pytest.raises(Interrupted), interruptible(model.model, stop):
            ats.explain(model, "a b c d e", method, target="f")
    # The model is as it was: so is what it gives.
    assert ats.explain(model, "a b c d e", method, target="f").scores.tolist() == expected


def test_the_backward_pass_is_checked_too() -> None:
    model = small("llama")
    seen = []
    with interruptible(model.model, lambda: seen.append(torch.is_grad_enabled())):
        ats.explain(model, "a b c", "gradient", target="d")
    assert len(seen) >= 6
