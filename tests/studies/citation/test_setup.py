"""Which tokens are a source's, and which statement a token of the answer is in."""

import attnscope as ats
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
