"""The answer with and without: the model's own on what is left, and the same effect as deletion measures."""

import pytest
import torch
from tiny_models import classifier, small

import attnscope as ats
from attnscope.errors import InputError, RangeError
from attnscope.methods.live.without import keep_answer
from attnscope.models.inputs.batching import encoded_texts

TEXT = "a b c d e f"


def test_the_effect_is_that_of_deletion() -> None:
    model = small("llama", sharp=2.0)
    (encoded,) = encoded_texts(model, TEXT)
    kept = keep_answer(model, encoded)
    whole = kept.answer((), None)
    deletion = ats.explain(model, TEXT, "deletion", target=whole.about, signed=True)
    for word, score in zip(deletion.words, deletion.scores, strict=True):
        less = kept.answer([(word.start, word.end)], None)
        assert whole.value - less.value == pytest.approx(score, abs=1e-4)
        assert less.about == whole.about
    assert whole.value == pytest.approx(deletion.measured.value, abs=1e-5)


def test_several_go_at_once_and_any_target_is_asked_about() -> None:
    model = small("llama", sharp=2.0)
    (encoded,) = encoded_texts(model, TEXT)
    less = keep_answer(model, encoded).answer([(0, 1), (4, 5)], "g")
    left = model.tokenizer("b d e f")["input_ids"]
    with torch.no_grad():
        table = model.model(torch.tensor([left])).logits[0, -1].log_softmax(-1)
    assert less.value == pytest.approx(float(table[model.tokenizer("g")["input_ids"][0]]), abs=1e-4)
    assert less.tokens[0].id == int(table.argmax())
    assert (less.quantity, less.about) == ("log_probability", "g")


def test_a_classifier_answers_with_its_label() -> None:
    model = classifier("Sequence")
    (encoded,) = encoded_texts(model, TEXT)
    kept = keep_answer(model, encoded)
    assert kept.answer((), None).tokens == ()
    assert kept.answer([(0, 1)], None).value != kept.answer((), None).value


def test_nothing_left_is_said() -> None:
    (encoded,) = encoded_texts(model := small("llama"), TEXT)
    with pytest.raises(InputError, match="nothing to read"):
        keep_answer(model, encoded).answer([(0, len(TEXT))], None)


def test_heads_and_edges_go_as_knock_out_takes_them_and_words_with_them() -> None:
    model = small("llama", sharp=2.0)
    (encoded,) = encoded_texts(model, TEXT)
    kept = keep_answer(model, encoded)
    about = kept.answer((), None).about
    edge = ((6, 7), (2, 3))
    for heads, edges, named in (
        ([(1, 2), (2, 0)], [], []),
        ([], [edge], [("d", "b")]),
        ([(0, 1)], [edge], [("d", "b")]),
    ):
        expected = ats.knock_out(model, TEXT, target=about, heads=heads, edges=named)
        for target in (None, about):
            less = kept.answer((), target, heads, edges)
            assert less.value == pytest.approx(expected.after, abs=1e-4)
            assert less.tokens[0].probability == pytest.approx(max(r.after for r in expected.ranking), abs=1e-4)
    # Without a word as well: what is left is another text.
    alone = ats.knock_out(model, "b c d e f", target=about, heads=[(1, 2)], edges=[("d", "b")])
    for target in (None, about):
        less = kept.answer([(0, 1)], target, [(1, 2)], [edge])
        assert less.value == pytest.approx(alone.after, abs=1e-4)
    gone = kept.answer([(2, 3)], None, [(1, 2)], [edge])  # with its word, the edge is gone too
    assert gone.value == pytest.approx(ats.knock_out(model, "a c d e f", target=about, heads=[(1, 2)]).after, abs=1e-4)


def test_what_cannot_be_taken_away_is_said() -> None:
    model = small("llama", sharp=2.0)
    (encoded,) = encoded_texts(model, TEXT)
    kept = keep_answer(model, encoded)
    with pytest.raises(InputError, match="later word first"):
        kept.answer((), None, (), [((2, 3), (6, 7))])
    for head in ((9, 0), (0, 9)):
        with pytest.raises(RangeError):
            kept.answer((), None, [head])
