"""What is explained and how likely it is; what a chat template wrote; units by their names."""

import math
from dataclasses import replace

import pytest

from attnscope.render import render
from attnscope.render.content.caption import caption_of, headline, plural, probability_of, template_of
from attnscope.results.attribution import Attribution, Token, Word
from attnscope.results.base import Asked, Measured

TEXT = "Be kind. " * 20 + "Where?"
SPANS = {"1 system": (0, 179), "2 <b>user": (180, 186)}


def chat(value: float = math.log(0.7), answer: tuple[str, ...] = (" Tokyo",)) -> Attribution:
    """Two turns: the first has more tokens, the second more score a token."""
    tokens = [Token(TEXT[i : i + 9], i, min(i + 9, 180), False, 0.5) for i in range(0, 180, 9)]
    tokens = [*tokens, Token("Where?", 180, 186, False, 4.0), Token("<|end|>", 186, 186, True, 0.0)]
    words = [Word(TEXT[a:b], a, b, score) for (a, b), score in zip(SPANS.values(), (10.0, 4.0), strict=True)]
    return Attribution(
        method="deletion",
        family="perturbation",
        text=TEXT,
        tokens=tuple(tokens),
        words=tuple(words),
        asked=Asked(unit="segment", segments=SPANS, quantity="log_probability", chat=True),
        measured=Measured(value=value, answer=answer, turns=SPANS, template=("<s>You are SmolLM\n", "", "<|end|>")),
    )


def test_the_answer_and_its_probability() -> None:
    assert headline(chat()) == ("Tokyo", "70.0 %")
    assert headline(chat(math.log(12), (" Tokyo", " Kyoto"))) == ("Tokyo", "12 times as likely as “Kyoto”")
    assert headline(chat(answer=())) is None
    logit = replace(chat(), asked=Asked(quantity="logit"))
    assert (headline(logit), probability_of(logit)) == (None, None)
    assert ("probability", "70.0 %") in caption_of(chat()).facts


def test_what_the_template_wrote_is_said() -> None:
    (note,) = template_of(chat().measured)
    assert "read and not drawn: <s>You are SmolLM …  … <|end|>" in note
    assert note in caption_of(chat()).notes
    assert template_of(Measured()) == []


def test_segments_have_names_and_means() -> None:
    result = chat()
    assert plural(result) == "segments"
    assert ("segments", "2") in caption_of(result).facts
    assert result.names == tuple(SPANS)
    assert result.means.tolist() == pytest.approx([0.5, 4.0])
    table = result.columns()
    assert (list(table["name"]), list(table["mean"])) == (list(SPANS), result.means.tolist())


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html"])
def test_every_format_has_the_names_and_no_row_has_all_of_a_passage(suffix: str) -> None:
    document = render(chat(), suffix).decode()
    assert "1 system" in document
    assert "mean" in document or "per token" in document
    if suffix != ".html":
        assert max(len(line) for line in document.splitlines() if "1 system" in line and "Be kind" in line) < 180
    else:
        page = document.split("<script")[0]
        for said in ("Highest segments", "score</span> per segment", "70.0 %", "2 &lt;b&gt;user", "mean 0.5"):
            assert said in page
