"""Deletion: one plain forward pass for each word that is left out."""

import numpy as np
import pytest
import torch
from comparisons import close, ids

import attnscope as ats
from attnscope.models.model_facts import facts_of
from attnscope.models.perturbation import prefix_reuse, without_tokens
from reference import importance as textbook

TEXT = "a b c d e f"


@pytest.mark.parametrize("prefix", ["shared", "shared by one at a time", "not shared"])
def test_deletion_is_one_forward_per_word(llama: ats.Model, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if prefix == "not shared":
        monkeypatch.setattr(without_tokens, "reuses_prefix", lambda *_: False)
    else:
        if prefix != "shared":
            monkeypatch.setattr(prefix_reuse, "CACHE_BYTES", 0)
        ats.explain(llama, TEXT, method="deletion", target=" g")
        assert facts_of(llama.model).reuses_prefix
    prompt, target = ids(llama, TEXT), ids(llama, "g h")
    with torch.no_grad():
        whole = textbook.log_probability(llama.model, prompt, target).item()
        less = [
            textbook.log_probability(llama.model, prompt[:i] + prompt[i + 1 :], target).item()
            for i in range(len(prompt))
        ]
    expected = whole - np.array(less)
    assert close(ats.explain(llama, TEXT, method="deletion", target=" g h", signed=True).scores, expected)
    assert close(ats.explain(llama, TEXT, method="deletion", target=" g h").scores, np.abs(expected))


def test_deletion_of_the_texts_own_loss(llama: ats.Model) -> None:
    prompt = ids(llama, TEXT)

    def loss(some: list[int]) -> float:
        return float(llama.model(input_ids=torch.tensor([some]), labels=torch.tensor([some])).loss)

    with torch.no_grad():
        expected = [abs(loss(prompt[:i] + prompt[i + 1 :]) - loss(prompt)) for i in range(len(prompt))]
    assert close(ats.explain(llama, TEXT, method="deletion").scores, np.array(expected))


def test_segments_are_taken_away_whole(llama: ats.Model) -> None:
    segments = {"front": (0, 3), "back": (6, 11)}
    result = ats.explain(llama, TEXT, method="deletion", target=" g", segments=segments, signed=True)
    prompt, target = ids(llama, TEXT), ids(llama, "g")
    with torch.no_grad():
        whole, front, back = (
            textbook.log_probability(llama.model, some, target).item() for some in (prompt, prompt[2:], prompt[:3])
        )
    assert close(result.scores, np.array([whole - front, whole - back]))
    assert result.asked.segments == {"front": (0, 3), "back": (6, 11)}


def test_sentences_of_a_paragraph(llama: ats.Model) -> None:
    text = "a b . c d .\n\ne f . g"
    result = ats.explain(llama, text, method="deletion", target=" h", unit="sentence", within="paragraph 2")
    assert [w.text for w in result.words] == ["e f .", "g"]
