"""One text of an evaluation: what is judged, which methods run, and what a row says."""

import numpy as np
import pytest
import torch
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import classifier, tiny

import attnscope as ats
from attnscope.errors import InputError, ModelError
from attnscope.methods.table import method_of
from attnscope.results.evaluation import Sample
from attnscope.studies import text_evaluator
from attnscope.studies.method_choice import MethodChoice
from attnscope.studies.text_evaluator import TextEvaluator

DELETION = MethodChoice("deletion", method_of("deletion"), {})
ATTENTION = MethodChoice("attention", method_of("attention"), {})
RANDOM = MethodChoice("random", method_of("random"), {})
SAMPLE = Sample("a b c d e f", target=" c")


def evaluator(model: ats.Model, *metrics: str) -> TextEvaluator:
    return TextEvaluator(model, "pad", False, metrics or ("comprehensiveness",))


def test_batches_say_what_a_plain_loop_says(copying: ats.Model) -> None:
    (row,) = evaluator(copying).rows(7, SAMPLE, [DELETION], None)
    order = np.argsort(-np.array(row.scores), kind="stable")
    ids = copying.tokenizer(SAMPLE.text)["input_ids"]
    target = copying.tokenizer("c")["input_ids"][0]

    def probability(gone: list[int]) -> float:
        changed = torch.tensor([[copying.tokenizer.pad_token_id if i in gone else x for i, x in enumerate(ids)]])
        with torch.no_grad():
            return float(copying.model(changed).logits[0, -1].softmax(-1)[target])

    drops = [probability([]) - probability(order[:count].tolist()) for count in (1, 1, 1, 2, 3)]
    assert row.values["comprehensiveness"] == pytest.approx(np.mean(drops), abs=1e-6)
    assert row.curves["deletion"] == pytest.approx([probability(order[:count].tolist()) for count in range(7)])
    assert (row.number, row.key, row.label) == (7, SAMPLE.key, " c")
    assert row.probability == pytest.approx(probability([]))


def test_of_labels_the_likeliest_is_explained_unless_one_is_named(copying: ats.Model) -> None:
    (likeliest,) = evaluator(copying).rows(0, Sample(SAMPLE.text, labels=(" x", " c")), [DELETION], None)
    assert (likeliest.label, likeliest.predicted) == (" c", True)
    named = Sample(SAMPLE.text, labels=(" x", " c"), target=" x", gold=" c")
    (row,) = evaluator(copying).rows(0, named, [DELETION], None)
    assert (row.label, row.predicted, row.gold) == (" x", False, " c")
    assert row.probability == pytest.approx(1 - likeliest.probability)


def test_the_labels_of_a_multi_label_classifier_are_independent() -> None:
    """Each has its own probability: none is a share of theirs together."""
    model = classifier("Sequence", problem_type="multi_label_classification")
    with torch.no_grad():
        logits = model.model(torch.tensor([model.tokenizer("a b c d e f")["input_ids"]])).logits[0]
    for sample in (Sample("a b c d e f"), Sample("a b c d e f", target=2, labels=(1, 2))):
        (row,) = evaluator(model).rows(0, sample, [DELETION], None)
        label = int(logits.argmax()) if sample.target is None else 2
        assert row.probability == pytest.approx(float(logits[label].sigmoid()), abs=1e-6)
        assert row.curves["deletion"][0] == pytest.approx(row.probability)


def test_a_method_that_does_not_run_here_is_skipped_or_raises(copying: ats.Model) -> None:
    running = evaluator(copying)
    with pytest.raises(ModelError):
        list(running.rows(0, SAMPLE, [ATTENTION], None))
    skipped: dict[str, str] = {}
    rows = list(running.rows(0, SAMPLE, [ATTENTION, DELETION], skipped))
    assert [row.method for row in rows] == ["deletion"]
    assert list(skipped) == ["attention"]
    assert running.unusable == {"attention"}


def test_without_random_there_is_no_evaluation(copying: ats.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_given: object) -> None:
        raise ModelError("it does not run")

    monkeypatch.setattr(text_evaluator, "explained", fails)
    with pytest.raises(ModelError, match="it does not run"):
        list(evaluator(copying).rows(0, SAMPLE, [RANDOM], {}))


def test_with_no_method_left_the_model_does_not_run(copying: ats.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying.model, "forward", lambda *_given, **_named: pytest.fail("it ran"))
    assert list(evaluator(copying).rows(0, SAMPLE, [], None)) == []


def test_the_shuffled_model_is_made_once(copying: ats.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    real = text_evaluator.randomised
    monkeypatch.setattr(text_evaluator, "randomised", lambda model: made.append(model) or real(model))
    running = evaluator(copying, "randomisation")
    list(running.rows(0, SAMPLE, [DELETION, RANDOM], None))
    list(running.rows(1, Sample("c b a d e f", target=" a"), [DELETION], None))
    assert made == [copying]


def test_within_judges_a_piece_of_the_text_and_people_by_what_a_word_touches(copying: ats.Model) -> None:
    human = ((4, 5, 2.0), (5, 7, 3.0), (4, 7, 0.5), (0, 1, 9.0))
    (row,) = evaluator(copying).rows(
        0, Sample("a b c d e f", target=" c", within=(4, 9), human=human), [DELETION], None
    )
    assert row.words == ("c", "d", "e")
    assert row.human == (2.0, 3.0, 0.0)


def test_words_that_the_target_stands_on_are_not_judged() -> None:
    model = ats.Model(tiny("bert", sharp=2.0), copy_tokenizer())
    model.tokenizer.mask_token = "[UNK]"
    watch(model)
    sample = Sample("a b c d", target="b", position=1)
    (row,) = evaluator(model).rows(0, sample, [DELETION], None)
    assert row.words == ("a", "c", "d")


def test_fewer_than_two_words_cannot_be_judged(copying: ats.Model) -> None:
    with pytest.raises(InputError, match="1 words to judge"):
        list(evaluator(copying).rows(0, Sample("a b c d", target=" c", within=(0, 2)), [DELETION], None))


def test_scores_of_other_pieces_than_words_are_refused(copying: ats.Model) -> None:
    sentences = MethodChoice("deletion (unit=sentence)", method_of("deletion"), {"unit": "sentence"})
    with pytest.raises(InputError, match="unit='word'"):
        list(evaluator(copying).rows(0, SAMPLE, [sentences], None))
