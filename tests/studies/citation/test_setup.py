"""Which tokens are a source's, and which statement a token of the answer is in."""

import numpy as np
import pytest
import torch

import attnscope as ats
from attnscope.errors import NonFiniteError
from attnscope.studies.citation.setup import Setup, parts_of, setup


def made(model: ats.Model, passages: list[str], answer: str) -> Setup:
    return setup(
        model, "Who was it?", passages, answer, generate=4, template=None, segments=None, unit=None, within=None
    )


def test_every_token_of_the_passages_is_in_one_source(smollm2: ats.Model) -> None:
    """With the blank line behind it: what is left reads as if the passage had never been there."""
    found = made(smollm2, ["It was Aldo. He left.", "A river.", "雨だ。"], "Aldo was it. Yes.")
    ids = found.objective.readouts[0].inputs["input_ids"]
    for part in found.parts:
        left = [token for i, token in enumerate(ids) if i not in part.tokens]
        text = smollm2.tokenizer.decode(left)
        passages = [one.source.text for one in found.parts if one is not part]
        assert "passages.\n\n" + "\n\n".join(passages) + "\n\nQuestion: Who was it?" in text
    assert found.token_statement == sorted(found.token_statement)
    assert len(found.statements) == 2


def test_sentences_share_out_a_sources_tokens(smollm2: ats.Model) -> None:
    found = made(smollm2, ["It was Aldo. He left.\nThen  rain.", "A river."], "Aldo.")
    sentences = parts_of(found, found.parts[0], 0)
    assert [one.source.text for one in sentences] == ["It was Aldo.", "He left.", "Then  rain."]
    tokens = [token for one in sentences for token in one.tokens]
    assert sorted(tokens) == sorted(found.parts[0].tokens)
    words = parts_of(found, sentences[1], 3)
    assert [one.source.text for one in words] == ["He", "left", "."]
    assert parts_of(found, found.parts[1], 1) == []


def test_an_answer_that_is_ruled_out_without_some_sources_is_refused(
    smollm2: ats.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = made(smollm2, ["It was Aldo.", "A river.", "雨だ。"], "Aldo. Yes.")
    assert np.isfinite(found.values_without([frozenset()])).all()
    count = len(found.token_statement)

    def ruled_out(removed: list[frozenset[int]]) -> torch.Tensor:
        return torch.where(torch.arange(count) == count - 1, -torch.inf, -1.0).expand(len(removed), -1)

    monkeypatch.setattr(found.texts, "values", ruled_out)
    with pytest.raises(NonFiniteError, match=r"rules the answer 'Aldo\. Yes\.' out"):
        found.values_without([found.parts[0].tokens])


def test_tokens_of_japanese_statements_are_those_of_their_characters(smollm2: ats.Model) -> None:
    """Bytes of one character go together, and every token belongs to the statement that it begins in."""
    found = made(smollm2, ["花子は犬を飼う。", "雨だ。"], "犬を飼う。雨が降る。\n「本当？」")
    assert [found.answer[a:b] for a, b in found.statements] == ["犬を飼う。", "雨が降る。", "「本当？」"]
    first = found.objective.about[0][1]
    assert first is not None
    tokens = found.encoded.tokens[first : first + len(found.token_statement)]
    start = tokens[0].start
    for token, statement in zip(tokens, found.token_statement, strict=True):
        a, b = found.statements[statement]
        if token.text.strip():
            assert a <= token.start - start < b
    alone = found.counted_alone()
    whole, without = alone.values_without([frozenset(), alone.tokens([0, 1])])
    assert alone.passes == 2
    assert whole.sum() == pytest.approx(float(found.texts.values([frozenset()]).sum()), abs=1e-6)
    assert (whole - without)[0] > 0
