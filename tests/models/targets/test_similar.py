"""Similarity to another text as a target: the model's own number, and every method on it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from planted import copy_tokenizer
from snapshot import forget_all
from tiny_models import small, tiny
from torch import Tensor
from torch.nn.functional import cosine_similarity

import attnscope as ats
from attnscope.errors import InputError, ModelError, TextError, TextTooLongError

CAT, KITTEN = "A cat sits on the mat", "A kitten rests on the rug"
METHODS = (
    "gradient", "gradient_x_input", "integrated_gradients", "smooth_grad", "gradient_shap", "gim", "deletion",
    "occlusion", "shapley", "lime", "surrogate", "random", "attention_gradient",
)  # fmt: skip


def sentences(net: Any, folder: Path, *more: str, **settings: Any) -> Any:
    """A SentenceTransformer around this model, with dense layers and a norm as asked."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    net.save_pretrained(folder)
    forget_all()
    copy_tokenizer().save_pretrained(folder)
    torch.manual_seed(1)
    first = Transformer(str(folder))
    modules: list[torch.nn.Module] = [first, Pooling(32, settings.pop("mode", "mean"))]
    modules += [Dense(32, 12)] * ("dense" in more) + [Normalize()] * ("norm" in more)
    return SentenceTransformer(modules=modules, device="cpu", **settings)


@pytest.mark.parametrize(
    ("more", "settings"),
    [
        ((), {}),
        (("dense", "norm"), {}),
        (("dense",), {"similarity_fn_name": "dot"}),
        (("norm",), {"similarity_fn_name": "euclidean"}),
        ((), {"similarity_fn_name": "manhattan", "mode": "lasttoken"}),
        ((), {"mode": "cls", "truncate_dim": 7}),
        ((), {"mode": ("mean", "max")}),
        ((), {"mode": "weightedmean"}),
    ],
)
def test_the_value_is_what_sentence_transformers_give(
    more: tuple[str, ...], settings: dict[str, Any], tmp_path: Path
) -> None:
    given = sentences(tiny("bert", 2.0).bert, tmp_path, *more, **settings)
    for one, other in (("a b c d", "b d"), ("a g", "c a b d e f g")):
        theirs = float(given.similarity(given.encode([one]), given.encode([other]))[0, 0])
        for method in ("gradient", "deletion"):
            found = ats.explain(ats.Model(given), one, method, similar_to=other)
            assert found.measured.value == pytest.approx(theirs, rel=1e-5, abs=1e-6)
        back = ats.explain(ats.Model(given), other, "gradient", similar_to=one)
        assert back.measured.value == pytest.approx(theirs, rel=1e-5, abs=1e-6)
    assert all(part.training is False for part in given.modules())


def test_what_is_explained_is_said(tmp_path: Path) -> None:
    given = ats.Model(sentences(tiny("bert").bert, tmp_path, similarity_fn_name="dot"))
    found = ats.explain(given, "a b c", "gradient", similar_to="b d")
    assert found.asked.target == "dot product to 'b d'"
    assert found.asked.quantity == "dot product"
    assert ats.Attribution.from_json(found.to_json()) == found


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert", "llama", "t5"])
@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "last"])
def test_the_gradient_is_the_textbooks_with_a_stated_pooling(name: str, pooling: str) -> None:
    """Of a model with a head, which is left out. The textbook: inputs_embeds, autograd, by hand."""
    model = ats.load(small(name, 2.0), pooling=pooling)
    body = model.model.get_encoder() if name == "t5" else model.model.base_model
    pool: Callable[[Tensor], Tensor] = {
        "mean": lambda h: h.mean(0),
        "cls": lambda h: h[0],
        "max": lambda h: h.amax(0),
        "last": lambda h: h[-1],
    }[pooling]

    def vector(ids: Tensor) -> tuple[Tensor, Tensor]:
        leaf = body.get_input_embeddings()(ids).detach().requires_grad_()
        mine = {"position_ids": torch.arange(2, 2 + ids.shape[1])[None]} if name == "roberta" else {}
        return leaf, pool(body(inputs_embeds=leaf, **mine).last_hidden_state[0])

    leaf, mine = vector(torch.tensor([model.tokenizer("a b c d")["input_ids"]]))
    _, other = vector(torch.tensor([model.tokenizer("b f")["input_ids"]]))
    value = cosine_similarity(mine, other.detach(), dim=0)
    expected = torch.autograd.grad(value, leaf)[0][0].norm(dim=-1)
    found = ats.explain(model, "a b c d", "gradient", similar_to="b f")
    assert found.measured.value == pytest.approx(value.item(), abs=1e-5)
    np.testing.assert_allclose(found.token_scores, expected.numpy(), rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_explains_either_side(method: str) -> None:
    model = ats.load(small("bert", 2.0), pooling="mean")
    for one, other in (("a b c d", "b d"), ("b d", "a b c d")):
        found = ats.explain(model, one, method, similar_to=other)
        assert [word.text for word in found.words] == one.split()
        whole = ats.explain(model, one, "deletion", similar_to=other, signed=True)
        assert found.measured.value == pytest.approx(whole.measured.value, abs=1e-5)


def test_deletion_is_the_similarity_without_the_word() -> None:
    model = ats.load(small("bert", 2.0), pooling="mean")
    value = {
        text: ats.explain(model, text, "deletion", similar_to="b f").measured.value
        for text in ("a b c", "b c", "a c", "a b")
    }
    found = ats.explain(model, "a b c", "deletion", similar_to="b f", signed=True)
    expected = [value["a b c"] - value[text] for text in ("b c", "a c", "a b")]
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)


def test_integrated_gradients_add_up_and_a_contrast_is_a_difference() -> None:
    model = ats.load(small("bert", 1.0), pooling="mean")
    found = ats.explain(model, "a b c d", "integrated_gradients", similar_to="b f", steps=200)
    change = found.measured.value - found.measured.baseline_value
    assert found.scores.sum() == pytest.approx(change, abs=2e-3)
    one, other = (ats.explain(model, "a b c d", "gradient", similar_to=text).measured.value for text in ("b f", "e"))
    contrast = ats.explain(model, "a b c d", "gradient", similar_to="b f", against="e")
    assert contrast.measured.value == pytest.approx(one - other, abs=1e-5)
    assert contrast.asked.target == "cosine similarity to 'b f' minus that to 'e'"


def test_many_texts_each_with_its_own(tmp_path: Path) -> None:
    model = ats.Model(sentences(tiny("bert", 2.0).bert, tmp_path, "norm"))
    texts, others = ["a b c d e f", "a", "b c"], ["b", "c d", "a b c"]
    together = ats.explain(model, texts, "gradient_x_input", similar_to=others)
    for text, other, found in zip(texts, others, together, strict=True):
        alone = ats.explain(model, text, "gradient_x_input", similar_to=other)
        np.testing.assert_allclose(found.scores, alone.scores, rtol=1e-3, atol=1e-6)
    assert isinstance(ats.explain(model, texts, "gradient", similar_to=["b", "", "a"], on_error="keep")[1], ats.Failed)


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    model = ats.Model(sentences(tiny("bert").bert, tmp_path))
    with pytest.raises(ModelError, match=r"one vector of a text is not known: .*pooling='mean'"):
        ats.explain(ats.Model(model.model, model.tokenizer), "a b", "gradient", similar_to="c")
    with pytest.raises(TextError, match="similar_to: the text is empty"):
        ats.explain(model, "a b", "gradient", similar_to="")
    with pytest.raises(InputError, match="similar_to is of type int"):
        ats.explain(model, "a b", "gradient", similar_to=3)
    for asked in ({"target": "c"}, {"generate": 3}, {"position": 1}, {"quantity": "loss"}):
        with pytest.raises(InputError, match=f"similar_to is a target by itself, and {next(iter(asked))} was given"):
            ats.explain(model, "a b", "gradient", similar_to="c", **asked)
    with pytest.raises(InputError, match="attention has no query for the similarity of the whole text"):
        ats.explain(model, "a b", "attention", similar_to="c")
    with pytest.raises(InputError, match="window was given with similar_to"):
        ats.explain(model, "a b", "gradient", similar_to="c", window=8)
    with pytest.raises(InputError, match="choose from mean, cls, max, last"):
        ats.load(model, pooling="sum")


def test_a_text_that_the_model_would_cut_is_refused_or_cut(tmp_path: Path) -> None:
    given = sentences(tiny("bert", 2.0).bert, tmp_path)
    given.max_seq_length = 5
    model = ats.Model(given)
    long = "a b c d e f g"
    for asked in ({"text": long, "similar_to": "a"}, {"text": "a", "similar_to": long}):
        with pytest.raises(TextTooLongError, match=r"has 7 tokens, and this model makes its vector of the first 5 \("):
            ats.explain(model, **asked)
        found = ats.explain(model, **asked, truncate=True)
        theirs = float(given.similarity(given.encode([long]), given.encode(["a"]))[0, 0])
        assert found.measured.value == pytest.approx(theirs, abs=1e-5)
    assert len(ats.explain(model, long, "gradient", similar_to="a", truncate=True).tokens) == 5
    assert len(ats.attention(model, long).tokens) == 7


def test_the_real_one(minilm: ats.Model) -> None:
    from sentence_transformers import SentenceTransformer

    given = SentenceTransformer(minilm.name, device="cpu")
    model = ats.Model(given)
    for one, other in ((CAT, KITTEN), ("猫がマットに座る😀", "子猫が敷物の上で休む"), ("😀", "e\u0301 İ")):
        theirs = float(given.similarity(given.encode([one]), given.encode([other]))[0, 0])
        found = ats.explain(model, one, "deletion", similar_to=other)
        assert found.measured.value == pytest.approx(theirs, abs=1e-6)
    words = ats.explain(model, CAT, "deletion", similar_to=KITTEN)
    assert max(words.words, key=lambda word: word.score).text == "cat"
    half = ats.Model(SentenceTransformer(minilm.name, device="cpu", model_kwargs={"dtype": torch.bfloat16}))
    assert ats.explain(half, CAT, "gradient", similar_to=KITTEN).measured.value == pytest.approx(
        words.measured.value, abs=0.02
    )
