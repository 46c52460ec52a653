"""The gradient at a mask on the keys: a planted answer, laws, and how it adds up over layers, heads and steps."""

import numpy as np
import pytest
from planted import attention_copy, copy_tokenizer
from snapshot import watch
from tiny_models import classifier, small

import attnscope as ats
from attnscope.errors import InputError, ModelError

TEXT = "a b c d e f g a b"


def explained(model: ats.Model, text: str = TEXT, **options: object) -> ats.Attribution:
    found: ats.Attribution = ats.explain(model, text, method="mask_gradient", **options)
    return found


def test_what_is_copied_from_is_found() -> None:
    model = ats.Model(attention_copy(back=3, sharpness=0.5), copy_tokenizer())
    right = explained(model, "a b c d e f g", target=" d", quantity="logit").scores
    assert right.argmax() == 3
    # Without any of the others, more of the attention would go to "d".
    assert (np.delete(right, [3, 6]) < 0).all()
    np.testing.assert_allclose(np.delete(right, [3, 6]), right[0], rtol=1e-5)


def test_a_head_that_is_all_on_one_token_hides_it() -> None:
    """With the mask a little below 1 it is still all on it, since weights are renormalised."""
    model = ats.Model(attention_copy(back=3), copy_tokenizer())
    scores = explained(model, "a b c d e f g", target=" d", quantity="logit").scores
    assert np.abs(scores).max() < 1e-6
    zeroed = ats.explain(model, "a b c d e f g", method="gim", target=" d", quantity="logit").scores
    assert zeroed.argmax() == 3


def test_the_score_is_the_small_change_when_a_token_is_seen_a_little_less() -> None:
    """By what attention does with a bias on the scores: log(1 - ε) on one key, but for its own query."""
    from attnscope.models.gradients.key_masks import key_mask_gradients
    from attnscope.models.targets.readout import Readout

    model = small("llama")
    ids = model.tokenizer(TEXT)["input_ids"]
    readout = Readout({"input_ids": ids}, (8,), (5,), (1,), "log_probability")
    at_one = key_mask_gradients(model, readout)
    for token in (0, 4, 7):
        low, high = (key_mask_gradients(model, readout, share, [token]).value for share in (0.98, 1.0))
        slope = sum(float(of_heads[:, token].sum()) for of_heads in at_one.by_layer.values())
        assert (high - low) / 0.02 == pytest.approx(slope, rel=0.1, abs=2e-3)


@pytest.mark.parametrize("family", ["llama", "bert", "bart"])
def test_with_many_steps_scores_add_up_to_what_seeing_each_other_is_worth(family: str) -> None:
    model = small(family, sharp=2.0)
    options = {} if family == "bert" else {"target": "c"}
    few, many = (explained(model, steps=steps, **options).scores.sum() for steps in (8, 64))
    blind = _value_unseen(model, options)
    whole = explained(model, **options).measured.value - blind
    assert abs(many - whole) < abs(few - whole) / 4
    assert many == pytest.approx(whole, abs=0.05 * max(abs(whole), 0.2))


def _value_unseen(model: ats.Model, options: dict[str, object]) -> float:
    """The target's value where hardly any token of the text is seen by another."""
    from attnscope.models.gradients.key_masks import key_mask_gradients
    from attnscope.models.inputs.batching import encoded_texts
    from attnscope.models.targets.resolve import resolve
    from attnscope.models.targets.target import Target
    from attnscope.text.inputs import Reading

    (encoded,) = encoded_texts(model, [TEXT], Reading())
    objective = resolve(model, encoded, Target(**options))
    masked = [i for i, token in enumerate(objective.encoded.tokens) if not token.special]
    return key_mask_gradients(model, objective.readouts[0], 1e-6, masked).value


def test_layers_and_heads_add_up_to_the_words() -> None:
    model = small("llama")
    result = explained(model, target="c", by_head=True)
    assert list(result.measured.by_head) == ["0", "1", "2"]
    assert {len(heads) for heads in result.measured.by_head.values()} == {4}
    whole = sum(sum(heads) for heads in result.measured.by_head.values())
    assert whole == pytest.approx(result.scores.sum(), rel=1e-5)
    assert ats.Attribution.from_json(result.to_json()) == result
    assert not explained(model, target="c").measured.by_head
    both = explained(small("t5"), target="c", by_head=True).measured.by_head
    assert list(both) == ["cross 0", "cross 1", "cross 2", "encoder 0", "encoder 1", "encoder 2"]


def test_a_contrast_is_the_difference_and_a_target_the_sum_of_its_tokens() -> None:
    model = small("llama")
    one, other = (explained(model, target=target).scores for target in ("c d", "e f"))
    contrast = explained(model, target="c d", against="e f").scores
    np.testing.assert_allclose(contrast, one - other, atol=1e-5)
    each = explained(model, target="c d", per_token=True)
    np.testing.assert_allclose(np.asarray(each.token_scores)[:, : len(one)].sum(0), one, atol=1e-5)


def test_a_list_gives_what_each_text_gives_and_the_last_token_is_seen_by_nobody() -> None:
    model = small("llama")
    texts = [TEXT, "c d e"]
    together = explained(model, texts, target="c")
    for text, result in zip(texts, together, strict=True):
        np.testing.assert_allclose(result.scores, explained(model, text, target="c").scores, atol=1e-6)
        assert result.scores[-1] == 0
        assert result.signed


def test_within_chooses_what_is_masked_on_the_way() -> None:
    model = small("llama")
    whole, part = (explained(model, target="c", steps=4, **more).token_scores for more in ({}, {"within": (0, 5)}))
    assert not np.allclose(whole[:3], part[:3], atol=1e-4)
    alone = (explained(model, target="c", **more).token_scores for more in ({}, {"within": (0, 5)}))
    np.testing.assert_allclose(*alone, atol=1e-7)


@pytest.mark.parametrize("family", ["llama", "bert", "t5"])
def test_the_highest_are_left_out_and_the_others_scaled_to_them(family: str) -> None:
    model = small(family, sharp=2.0)
    asked, text = {"target": "c"}, TEXT
    if family == "bert":
        model.tokenizer.add_special_tokens({"mask_token": "[MASK]"})
        watch(model.tokenizer)
        text = "a b c d [MASK] f g"
    plain, mixed = (explained(model, text, steps=2, exact=exact, **asked) for exact in (0, 3))
    deleted = ats.explain(model, text, method="deletion", signed=True, **asked).scores
    fixed = {i for i, word in enumerate(plain.words) if text[word.start : word.end] == "[MASK]"}
    highest = [i for i in np.argsort(-plain.scores, kind="stable") if i not in fixed][:3]
    others = [i for i in range(len(plain.scores)) if i not in highest]
    np.testing.assert_allclose(mixed.scores[highest], deleted[highest], atol=1e-5)
    slope = max(0, (deleted[highest] @ plain.scores[highest]) / (plain.scores[highest] @ plain.scores[highest]))
    np.testing.assert_allclose(mixed.scores[others], slope * plain.scores[others], atol=1e-5)
    every = explained(model, text, exact=99, **asked).scores
    np.testing.assert_allclose(np.delete(every, list(fixed)), np.delete(deleted, list(fixed)), atol=1e-5)


def test_tokens_of_a_target_one_by_one_are_left_out_for_together() -> None:
    model = small("llama")
    each = explained(model, target="c d", per_token=True, exact=2)
    deleted = ats.explain(model, TEXT, method="deletion", signed=True, target="c d", per_token=True)
    same = np.isclose(np.asarray(each.scores), np.asarray(deleted.scores), atol=1e-5).all(0)
    assert same.sum() >= 2


def test_what_it_refuses() -> None:
    with pytest.raises(InputError, match="exact=-1"):
        explained(small("llama"), target="c", exact=-1)
    with pytest.raises(InputError, match="give a target"):
        explained(small("llama"), exact=2)
    with pytest.raises(InputError, match="steps=0"):
        explained(small("llama"), target="c", steps=0)
    with pytest.raises(ModelError, match="take steps=1"):
        explained(small("falcon"), target="c", steps=2)


def test_labels_of_a_classifier() -> None:
    model = classifier("Sequence")
    assert explained(model, target=2).scores.any()
    assert "POSITIVE" in explained(model, target=2).asked.target
