"""Citation as a whole: planted truth, a plain loop, laws, and what is refused."""

from typing import Any

import numpy as np
import pytest
import torch
from planted import CopyBack, copy_tokenizer
from snapshot import forget_all
from tiny_models import small

import attnscope as ats
from attnscope.errors import InputError, TextTooLongError
from attnscope.studies.citation import deletion

PASSAGES = ["a b c d", "e f g", "h i j k l"]
PROMPT = "a b c d\n\ne f g\n\nh i j k l\n\nQuestion: x y\nAnswer:"
SPANS = [range(4), range(4, 7), range(7, 12)]
CHAT = (
    "{% for m in messages %}{{ m['role'] }} {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant {% endif %}"
)


def test_effects_are_those_of_a_plain_loop(llama: ats.Model, textbook: Any) -> None:
    found = ats.cite(llama, "x y", PASSAGES, "m n o")
    whole = sum(textbook(llama, PROMPT, " m n o", ()))
    by_hand = [whole - sum(textbook(llama, PROMPT, " m n o", span)) for span in SPANS]
    np.testing.assert_allclose(found.effects[0], by_hand, atol=1e-4)
    assert found.value == pytest.approx(whole, abs=1e-4)
    assert found.without == pytest.approx(sum(textbook(llama, PROMPT, " m n o", range(12))), abs=1e-4)
    assert found.passes == 2 + 3
    as_array = ats.cite(llama, "x y", np.array(PASSAGES), "m n o")  # type: ignore[arg-type]
    assert as_array.effects.tolist() == found.effects.tolist()


def test_statements_add_up_to_the_answer(llama: ats.Model, textbook: Any) -> None:
    """The statements' tokens are the answer's, each once; so values and effects add up, whatever the method."""
    answer = "m n\no p\nq"
    found = ats.cite(llama, "x y", PASSAGES, answer)
    assert [one.text for one in found.statements] == ["m n", "o p", "q"]
    assert [found.answer[one.start : one.end] for one in found.statements] == ["m n", "o p", "q"]
    tokens = textbook(llama, PROMPT, answer, ())
    assert [one.value for one in found.statements] == pytest.approx(
        [sum(tokens[:2]), sum(tokens[2:4]), tokens[4]], abs=1e-4
    )
    assert found.scores.sum(0)[0] == pytest.approx(
        sum(tokens) - sum(textbook(llama, PROMPT, answer, range(4))), abs=1e-3
    )


def test_the_hierarchy_agrees_with_leave_one_out_at_its_leaves(
    llama: ats.Model, textbook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "_OPENED", -1e9)  # everything is opened
    monkeypatch.setattr(deletion, "cited_among", lambda _scores, candidates: candidates)
    passages = ["a b\nc d e", "f", "g h\ni j\nk"]
    prompt = "a b\nc d e\n\nf\n\ng h\ni j\nk\n\nQuestion: x\nAnswer:"
    found = ats.cite(llama, "x", passages, "m n", depth="word")
    whole = sum(textbook(llama, prompt, " m n", ()))
    places = {"a b\nc d e": range(5), "f": [5], "g h\ni j\nk": range(6, 11), "a b": range(2), "c d e": range(2, 5)}
    places |= {"g h": range(6, 8), "i j": range(8, 10), "k": [10]} | {c: [i] for i, c in enumerate("abcdefghij")}
    assert {one.level for one in found.sources} == {"source", "sentence", "word"}
    for source, effect in zip(found.sources, found.effects[0], strict=True):
        by_hand = whole - sum(textbook(llama, prompt, " m n", places[source.text]))
        assert effect == pytest.approx(by_hand, abs=1e-4), source
        if source.parent is not None:
            above = found.sources[source.parent].text
            assert above[source.start : source.start + len(source.text)] == source.text
    assert ats.cite(llama, "x", passages, "m n", depth="source").parts(0) == []


# Before the answer: a b, h d, j c l, Question:, x, y, Answer:
LAST = ["a b", "h d", "j c l"]


@pytest.fixture
def planted() -> ats.Model:
    """It writes what stands five places back: of LAST, the last passage alone has it."""
    net = CopyBack.make(back=5)
    with torch.no_grad():
        net.lm_head.weight.mul_(8)
    forget_all()
    return ats.Model(net, copy_tokenizer())


def test_a_planted_passage_is_found(planted: ats.Model) -> None:
    for method, options in (("deletion", {}), ("surrogate", {"masks": 48})):
        found = ats.cite(planted, "x y", LAST, "c", method=method, **options)
        assert found.value > -0.1
        assert found.statements[0].gain > 3
        assert found.cited(0) == [2]
        assert found.effects[0, :2].tolist() == pytest.approx([0, 0], abs=1e-6)


def test_smollm2_cites_the_passage_with_the_fact(smollm2: ats.Model) -> None:
    passages = [
        "Mira Castel was born in Lunden.",
        {"title": "Aldo", "text": "Aldo Brenn was born in Farrow.", "id": "aldo"},
        "The river is wide.",
    ]
    found = ats.cite(smollm2, "Where was Aldo Brenn born?", passages, "Aldo Brenn was born in Farrow.", depth="source")
    assert found.sources[found.cited(0)[0]].name == "aldo"
    assert found.statements[0].gain > 5
    memory = ats.cite(smollm2, "What comes after two?", passages[:1], "Three comes after two.", depth="source")
    assert memory.statements[0].gain < found.statements[0].gain


def test_japanese_and_markup_keep_their_places(smollm2: ats.Model) -> None:
    passages = ["花子は犬を飼っている。名前はポチ。", "</script><b>太郎</b>は猫が好き。"]
    found = ats.cite(smollm2, "花子の犬の名前は？", passages, "名前はポチ。犬です。", depth="sentence")
    assert [one.text for one in found.statements] == ["名前はポチ。", "犬です。"]
    assert found.answer == "名前はポチ。犬です。"
    assert [found.sources[i].text for i in found.whole] == passages
    assert found.cited(0) == [0]
    assert [found.sources[i].text for i in found.parts(0)] == ["花子は犬を飼っている。", "名前はポチ。"]


def test_one_passage_and_a_hundred(llama: ats.Model) -> None:
    assert ats.cite(llama, "x", ["a b"], "m").effects.shape == (1, 1)
    roomy = small("llama", 2.0)
    roomy.model.config.max_position_embeddings = 1024
    forget_all()
    found = ats.cite(roomy, "x", [f"{'abcdefgh'[i % 8]} b" for i in range(100)], "m", depth="source")
    assert len(found.whole) == 100
    assert found.passes == 2 + 100


def test_too_long_is_refused_with_what_to_do(llama: ats.Model) -> None:
    for answer in ("m", None):
        with pytest.raises(TextTooLongError, match=r"60 passages with the question .* give fewer or shorter ones"):
            ats.cite(llama, "x", ["a b"] * 60, answer)


def test_the_model_answers_itself(planted: ats.Model) -> None:
    found = ats.cite(planted, "x y", LAST, generate=2)
    assert found.answer == "c l"
    again = ats.cite(planted, "x y", LAST, "c l")
    np.testing.assert_allclose(found.scores[:, :3], again.scores[:, :3], atol=1e-6)


def test_turns_of_a_chat_and_sentences_of_one_are_sources() -> None:
    model = small("llama", 2.0)
    model.tokenizer.chat_template = CHAT
    forget_all()
    chat = [
        {"role": "system", "content": "a b c"},
        {"role": "user", "content": "d e\nf g"},
        {"role": "assistant", "content": "h i"},
    ]
    found = ats.cite(model, chat)
    assert [found.sources[i].name for i in found.whole] == ["1 system", "2 user"]
    assert found.answer == "h i"
    assert found.question == "d e\nf g"
    given = ats.cite(model, chat[:2], answer="h i")
    np.testing.assert_allclose(given.scores[:, :2], found.scores[:, :2], atol=1e-3)
    inside = ats.cite(model, chat, within="2 user", depth="source")
    assert [one.text for one in inside.sources] == ["d e", "f g"]
    assert [one.text for one in ats.cite(model, chat).statements] == ["h i"]


def test_paragraphs_of_a_text_are_sources(llama: ats.Model, textbook: Any) -> None:
    found = ats.cite(llama, "a b\n\nc d", answer=" e", depth="source")
    assert [one.name for one in found.sources] == ["paragraph 1", "paragraph 2"]
    by_hand = textbook(llama, "a b c d", " e", ())[0] - textbook(llama, "c d", " e", ())[0]
    assert found.effects[0, 0] == pytest.approx(by_hand, abs=1e-4)


def test_an_encoder_decoder_reads_sources_in_its_encoder() -> None:
    found = ats.cite(small("bart"), "x", PASSAGES, "m n", depth="source")
    assert found.effects.shape == (1, 3)
    assert found.value < 0
    assert ats.cite(small("bart"), "x", PASSAGES, "m n", method="heads", exact=0).scores.min() > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"passages": []}, "passages is empty"),
        ({"answer": " "}, "the answer is empty"),
        ({"method": "magic"}, "choose from deletion, surrogate, heads, gradient, mask_gradient, gim"),
        ({"masks": 8}, "masks is of method='surrogate'"),
        ({"method": "heads", "depth": "word"}, "depth is of method='deletion'"),
        ({"depth": "letter"}, "depth='letter'"),
        ({"exact": -1}, "exact=-1"),
        ({"segments": "turns"}, "passages are the sources"),
        ({"passages": None, "template": "{passages}{question}"}, "template says where passages go"),
        ({"question": [{"role": "user", "content": "a"}]}, "a chat and passages were given"),
        ({"method": "surrogate", "masks": 3}, "masks=3"),
        ({"method": "surrogate", "tolerance": 0}, "tolerance=0"),
    ],
)
def test_what_is_refused(llama: ats.Model, change: dict[str, Any], message: str) -> None:
    asked = {"question": "x", "passages": PASSAGES, "answer": "m"} | change
    with pytest.raises(InputError, match=message):
        ats.cite(llama, **asked)


def test_a_model_that_writes_no_text_is_refused() -> None:
    with pytest.raises(InputError, match="need a model that writes text"):
        ats.cite(small("bert"), "x", PASSAGES, "m")
