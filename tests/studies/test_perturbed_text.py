"""One text with words taken away or softened: what it answers is what plain passes say, and each version runs once."""

import numpy as np
import pytest
import torch
from planted import copy_tokenizer
from tiny_models import tiny

import attnscope as ats
from attnscope.metrics.query import LogProbability, SoftenedLogProbability, TargetValue
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.targets.label_probabilities import Choices, choices
from attnscope.studies.perturbed_text import PerturbedText

TEXT = "a b c d e"
LABELS = (" f", " g")
SETS = (frozenset[int](), frozenset({1}), frozenset({0, 3}))


@pytest.fixture(scope="module")
def llama() -> ats.Model:
    return ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())


def perturbed(model: ats.Model, labels: tuple[str, ...] = LABELS, label: int = 0) -> PerturbedText:
    (encoded,) = encoded_texts(model, [TEXT])
    words = [word for word in encoded.words if word.end > word.start]
    return PerturbedText(choices(model, encoded, labels), words, label, "delete")


def log_probabilities(model: ats.Model, without: frozenset[int], labels: tuple[str, ...]) -> list[float]:
    """One plain pass over the text that is left."""
    left = " ".join(word for i, word in enumerate(TEXT.split()) if i not in without)
    with torch.no_grad():
        row = model.model(**model.tokenizer(left, return_tensors="pt")).logits[0, -1].log_softmax(-1)
    return [float(row[model.tokenizer(label)["input_ids"][-1]]) for label in labels]


def test_two_labels_share_what_they_have(llama: ats.Model) -> None:
    """The probability is a share among the labels, and the target is their difference."""
    probability, target = perturbed(llama, label=1).answer([LogProbability(SETS), TargetValue(SETS)])
    for words, share, difference in zip(SETS, probability, target, strict=True):
        other, explained = log_probabilities(llama, words, LABELS)
        assert share == pytest.approx(explained - np.logaddexp(explained, other), abs=1e-5)
        assert difference == pytest.approx(explained - other, abs=1e-5)


def test_one_label_is_by_itself(llama: ats.Model) -> None:
    probability, target = perturbed(llama, (" f",)).answer([LogProbability(SETS), TargetValue(SETS)])
    expected = [log_probabilities(llama, words, (" f",))[0] for words in SETS]
    assert probability == pytest.approx(expected, abs=1e-5)
    assert target == pytest.approx(expected, abs=1e-5)


def test_what_is_known_is_not_run_again(llama: ats.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    run: list[frozenset[int]] = []
    real = Choices.without
    monkeypatch.setattr(Choices, "without", lambda self, taken, way: run.extend(taken) or real(self, taken, way))
    text = perturbed(llama)
    first = text.answer([LogProbability(SETS), TargetValue(SETS[1:])])
    assert len(run) == len(SETS)
    again = text.answer([LogProbability(SETS[::-1])])
    assert len(run) == len(SETS)
    assert again[0].tolist() == first[0][::-1].tolist()


def test_answers_come_in_the_order_of_the_queries(llama: ats.Model) -> None:
    text = perturbed(llama)
    softened = SoftenedLogProbability((1.0,) * 5, 1, 0)
    mixed = text.answer([softened, LogProbability(SETS[1:]), softened, TargetValue(SETS[:1])])
    assert [len(answer) for answer in mixed] == [1, 2, 1, 1]
    assert mixed[0].tolist() == mixed[2].tolist()


def test_softened_words_lie_between_the_text_and_words_of_zeros(llama: ats.Model) -> None:
    text = perturbed(llama)
    kept = SoftenedLogProbability((1.0,) * 5, 1, 0)
    half = SoftenedLogProbability((0.5,) * 5, 3, 0)
    first_word_gone = SoftenedLogProbability((0.0, *(1.0,) * 4), 1, 0)
    whole, samples, zeroed, plain = text.answer([kept, half, first_word_gone, LogProbability(SETS[:1])])
    assert whole == pytest.approx(plain, abs=1e-5)
    assert len(set(samples.tolist())) == 3, "each sample is another draw"
    embeddings = llama.model.get_input_embeddings()(llama.tokenizer(TEXT, return_tensors="pt")["input_ids"]).detach()
    embeddings[0, text.words[0].tokens] = 0
    with torch.no_grad():
        row = llama.model(inputs_embeds=embeddings).logits[0, -1]
    ids = [llama.tokenizer(label)["input_ids"][-1] for label in LABELS]
    assert zeroed[0] == pytest.approx(float(row[ids].log_softmax(-1)[0]), abs=1e-5)


def test_softening_is_the_same_whenever_it_is_asked(llama: ats.Model) -> None:
    half = SoftenedLogProbability((0.5,) * 5, 2, 0)
    other_seed = SoftenedLogProbability((0.5,) * 5, 2, 1)
    (alone,) = perturbed(llama).answer([half])
    _, beside = perturbed(llama).answer([other_seed, half])
    assert beside == pytest.approx(alone, abs=1e-6)
    (other,) = perturbed(llama).answer([other_seed])
    assert not np.allclose(other, alone)


def test_whether_the_explained_label_is_predicted(llama: ats.Model) -> None:
    likeliest = int(np.argmax(log_probabilities(llama, frozenset(), LABELS)))
    assert perturbed(llama, label=likeliest).predicted
    assert not perturbed(llama, label=1 - likeliest).predicted
