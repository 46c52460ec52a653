"""Every pair of words of two texts: what the scores add up to, planted pairs, and what is refused."""

import numpy as np
import pytest
import torch
from planted import copy_tokenizer
from tiny_models import small
from torch import Tensor, nn
from transformers import BertConfig, BertModel

import attnscope as ats
from attnscope.errors import InputError, ModelError, TextError, TextTooLongError
from attnscope.models.targets.pooling import Pooling

CAT, KITTEN = "A cat sits on the mat", "A kitten rests on the rug"


@pytest.mark.parametrize(("name", "compared"), [("bert", "cosine"), ("llama", "dot"), ("t5", "cosine")])
def test_the_scores_add_up_to_the_similarity(name: str, compared: str) -> None:
    """Values and reference terms by passes of their own; and swapping the texts turns the matrix round."""
    model = ats.Model(*_parts(small(name, 0.7)), pooling=Pooling("mean", similarity=compared))
    found = ats.similarity(model, "a b c d", "b f g", steps=40, baseline="mean")
    assert found.value == pytest.approx(
        ats.explain(model, "a b c d", "gradient", similar_to="b f g").measured.value, rel=1e-4
    )
    assert found.error < 5e-3 * abs(found.expected)
    parts = found.base + found.left_alone.sum() + found.right_alone.sum() + found.scores.sum()
    # Random weights with ReLU, drawn otherwise by each release of transformers, need many more steps.
    assert parts == pytest.approx(found.value, rel=3e-2)
    # s(x, b_y) is where integrated gradients of the other text's words begin.
    for one, other, term in (("b f g", "a b c d", 0), ("a b c d", "b f g", 1)):
        path = ats.explain(model, one, "integrated_gradients", similar_to=other, baseline="mean", steps=2)
        assert found.to_baseline[term] == pytest.approx(path.measured.baseline_value, rel=1e-3, abs=1e-5)
    swapped = ats.similarity(model, "b f g", "a b c d", steps=40, baseline="mean")
    np.testing.assert_allclose(swapped.scores.T, found.scores, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(swapped.left_alone, found.right_alone, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(found.left.scores, found.scores.sum(1))
    np.testing.assert_allclose(found.right.scores, found.scores.sum(0))


def _parts(model: ats.Model) -> tuple[object, object]:
    return model.model, model.tokenizer


def test_planted_pairs_are_found() -> None:
    """A mean of embeddings that are all orthogonal: the same letter on both sides has all, every other pair nothing."""

    class Looked(nn.Module):
        """The embeddings themselves, whatever the layers above them made."""

        def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
            return {"sentence_embedding": features["token_embeddings"].mean(1)}

    config = BertConfig(
        vocab_size=40, hidden_size=40, num_hidden_layers=0, num_attention_heads=4, intermediate_size=40,
        max_position_embeddings=12, type_vocab_size=1,
    )  # fmt: skip
    net = BertModel(config, add_pooling_layer=False)
    net.embeddings.LayerNorm = nn.Identity()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.embeddings.word_embeddings.weight.copy_(2 * torch.eye(40))
    model = ats.Model(net.eval(), copy_tokenizer(), pooling=Pooling(modules=(Looked(),), similarity="dot"))
    found = ats.similarity(model, "a b c d", "c a e", baseline="zero", steps=3)
    expected = np.zeros((4, 3))
    expected[0, 1] = expected[2, 0] = 2 * 2 / (4 * 3)
    np.testing.assert_allclose(found.scores, expected, atol=1e-6)
    assert found.value == pytest.approx(expected.sum(), abs=1e-6)
    assert found.error < 1e-6


def test_cats_are_kittens_and_mats_are_rugs(minilm: ats.Model) -> None:
    model = ats.load(minilm, pooling="mean")
    found = ats.similarity(model, CAT, KITTEN, steps=10)
    words = [[word.text for word in side.words] for side in (found.left, found.right)]
    partner = {word: words[1][int(found.scores[i].argmax())] for i, word in enumerate(words[0])}
    assert partner["cat"] == "kitten"
    assert partner["sits"] == "rests"
    assert partner["mat"] == "rug"
    assert found.strongest(1)[0][:2] == (1, 1)
    assert found.left.asked.options == {"baseline": "pad", "steps": 10}
    assert found.token_scores.shape == (8, 8)
    assert not found.token_scores[[0, -1]].any(), "special tokens stay where they are"
    np.testing.assert_allclose(found.scores, found.token_scores[1:-1, 1:-1])


def test_words_of_several_tokens_and_other_scripts(minilm: ats.Model) -> None:
    model = ats.load(minilm, pooling="mean")
    found = ats.similarity(model, "猫がマットに座る😀", "antidisestablishmentarianism", steps=3)
    assert [word.text for word in found.right.words] == ["antidisestablishmentarianism"]
    assert found.scores.sum() == pytest.approx(found.token_scores.sum())
    assert len(found.right.tokens) > 4
    assert "".join(word.text for word in found.left.words) == found.left.text
    tokens = ats.similarity(model, "antidisestablishmentarianism", "cat", steps=3, unit="token")
    assert tokens.scores.shape[0] > 3
    np.testing.assert_allclose(tokens.scores.ravel(), tokens.token_scores[1:-1, 1])


def test_bfloat16(minilm: ats.Model) -> None:
    import copy

    half = ats.Model(copy.deepcopy(minilm.model).to(torch.bfloat16), minilm.tokenizer, pooling="mean")
    found = ats.similarity(half, CAT, KITTEN, steps=10)
    assert found.strongest(1)[0][:2] == (1, 1)
    assert found.value == pytest.approx(0.66, abs=0.02)
    assert found.error < 0.2


def test_what_is_refused() -> None:
    model = ats.Model(*_parts(small("bert")), pooling="mean")
    with pytest.raises(TextError, match="the other text: the text is empty"):
        ats.similarity(model, "a", "")
    with pytest.raises(InputError, match="the text is of type list: give two texts"):
        ats.similarity(model, ["a"], "b")  # type: ignore[arg-type]
    with pytest.raises(TextTooLongError, match="the other text: the text has 97 tokens"):
        ats.similarity(model, "a", "a " * 97)
    with pytest.raises(InputError, match="steps=0"):
        ats.similarity(model, "a", "b", steps=0)
    with pytest.raises(InputError, match="choose from word, token, character, sentence"):
        ats.similarity(model, "a", "b", unit="segment")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="one vector of a text is not known"):
        ats.similarity(ats.Model(*_parts(model)), "a", "b")
    far = ats.Model(*_parts(model), pooling=Pooling(similarity="euclidean"))
    with pytest.raises(ModelError, match="compares texts by a negative Euclidean distance, which is no product"):
        ats.similarity(far, "a", "b")
    cut = ats.similarity(model, "a", "a " * 97, steps=1, truncate=True)
    assert cut.right.asked.truncate
    assert len(cut.right.tokens) == 96
