"""Attention's own methods asked for a target and over units: the query is the position that predicts."""

from typing import Any

import numpy as np
import pytest
from planted import attention_copy, copy_tokenizer
from tiny_models import tiny

import attnscope as ats
from attnscope.errors import InputError

TEXT = "a b . c d e f"
LOOKING = [name for name, row in ats.METHODS.items() if row.asks != "target"]
SHARES = [name for name, row in ats.METHODS.items() if row.shares]


@pytest.fixture(scope="module")
def copying() -> ats.Model:
    return ats.Model(attention_copy(1), copy_tokenizer())


@pytest.fixture(scope="module")
def llama() -> ats.Model:
    return ats.Model(tiny("llama", sharp=3.0), copy_tokenizer())


@pytest.mark.parametrize("method", LOOKING)
def test_planted_truth_of_each_generated_token(copying: ats.Model, method: str) -> None:
    """Each token is copied from two places before it. Half of what flows stays where it is: then both come first."""
    result = ats.explain(copying, TEXT, method=method, generate=3, per_token=True)
    assert [t.text for t in result.targets] == ["e", "f", "e"]
    for row, copied in zip(result.scores, (5, 6, 7), strict=True):
        assert row[copied] == pytest.approx(row.max(), rel=1e-3)
        assert row[:copied].max(initial=0) < 0.1 * row[copied]
    gradient = ats.explain(copying, TEXT, "gradient", generate=3, per_token=True)
    assert [t.value for t in result.targets] == pytest.approx([t.value for t in gradient.targets], abs=1e-5)
    assert [w.text for w in result.first.words] == [w.text for w in gradient.first.words]


@pytest.mark.parametrize("method", LOOKING)
def test_it_is_the_row_of_the_position_that_predicts(llama: ats.Model, method: str) -> None:
    one = ats.explain(llama, TEXT, method=method, target=" g", unit="token")
    row = ats.explain(llama, TEXT, method=method, query=6, **({"target": " g"} if "gradient" in method else {}))
    np.testing.assert_allclose(one.token_scores, row.token_scores, atol=1e-5)
    np.testing.assert_allclose(one.scores, row.scores, atol=1e-5)
    assert one.asked.target.endswith("'g'") or one.asked.target.endswith("' g'")
    two = ats.explain(llama, TEXT, method=method, target=" g h", unit="sentence")
    each = ats.explain(llama, TEXT, method=method, target=" g h", per_token=True, unit="sentence")
    if method != "attention_gradient":  # the positive part of a sum is not the sum of positive parts
        np.testing.assert_allclose(two.token_scores, each.token_scores.mean(0)[:7], atol=1e-5)
    assert [w.text for w in two.words] == ["a b .", "c d e f"]


@pytest.mark.parametrize("method", SHARES)
def test_law_shares_add_up(llama: ats.Model, method: str) -> None:
    result = ats.explain(llama, TEXT, method=method, target=" g h", unit="sentence")
    assert result.scores.sum() + result.excluded_mass + result.measured.to_target == pytest.approx(1, abs=1e-5)
    each = ats.explain(llama, TEXT, method=method, target=" g h", per_token=True)
    assert [one.scores.sum() + one.excluded_mass for one in each] == pytest.approx([1, 1], abs=1e-5)


def test_masks_and_token_labels(rxnmapper: ats.Model, quire: ats.Model) -> None:
    masked = ats.explain(rxnmapper, "CCO>>CC=O", method="attention", position=3, layer=3, head=2)
    row = ats.attention(rxnmapper, "CC[MASK]>>CC=O", layer=3, head=2, query=3)
    np.testing.assert_allclose(masked.token_scores, row.token_scores, atol=1e-5)
    label = ats.explain(quire, "He have a dog", method="rollout", position="have", unit="word")
    row = ats.explain(quire, "He have a dog", method="rollout", query="have")
    np.testing.assert_allclose(label.scores, row.scores, atol=1e-5)


def test_an_encoder_decoder_looks_across() -> None:
    bart = ats.Model(tiny("bart", sharp=3.0), copy_tokenizer())
    each = ats.explain(bart, TEXT, method="attention", target="g h", per_token=True)
    rows = ats.attention(bart, TEXT, query=[0, 1], stack="cross", target="g h")
    np.testing.assert_allclose(each.scores, [row.scores for row in rows], atol=1e-6)
    with pytest.raises(ats.AttnscopeError, match="cross-attention goes from one text to another"):
        ats.explain(bart, TEXT, method="rollout", target="g h", per_token=True)


def test_units_of_a_query(llama: ats.Model) -> None:
    whole = ats.explain(llama, TEXT, method="rollout", query="d")
    sentences = ats.explain(llama, TEXT, method="rollout", query="d", unit="sentence")
    assert sentences.scores == pytest.approx([whole.scores[:3].sum(), whole.scores[3:].sum()])
    inside = ats.explain(llama, TEXT, method="rollout", query="d", within=sentences.words[1])
    assert inside.scores == pytest.approx(whole.scores[3:])
    many = ats.explain(llama, ["a b", TEXT], method="rollout", query=-1, unit="sentence")
    assert [len(one.words) for one in many] == [1, 2]


def test_all_methods_stand_on_the_same_words(llama: ats.Model) -> None:
    results = [ats.explain(llama, TEXT, method=name, target=" g", segments={"front": (0, 5), "back": (6, 13)})
               for name in ("attention", "rollout", "gradient", "deletion", "gim", "random")]  # fmt: skip
    assert ats.agreement(results).rank.shape == (6, 6)


@pytest.mark.parametrize(
    ("method", "asked", "says"),
    [
        ("rollout", {"target": " g", "against": " h"}, "has no contrast"),
        ("attention", {"target": " g", "per_token": True, "query": 3}, "the position that predicts it"),
        ("rollout", {"query": [1, 2], "unit": "token"}, "one query at a time"),
        ("attention", {"target": " g", "steps": 3}, "no parameter 'steps'"),
    ],
)
def test_what_makes_no_sense_says_so(llama: ats.Model, method: str, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        ats.explain(llama, TEXT, method=method, **asked)


def test_a_label_of_a_whole_text_has_no_query() -> None:
    import transformers as hf

    config = hf.BertConfig(
        vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, pad_token_id=0
    )
    model = ats.Model(hf.BertForSequenceClassification(config).eval(), copy_tokenizer())
    with pytest.raises(InputError, match="BertForSequenceClassification reads off no single token"):
        ats.explain(model, TEXT, method="rollout", target=1)
