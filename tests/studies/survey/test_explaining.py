"""A part's tables say of every word what `explain` says of it."""

from typing import Any

import pytest
from tiny_models import classifier

import attnscope as ats
from attnscope.studies.survey.explaining import Explainer
from attnscope.studies.survey.parts import Part
from attnscope.studies.survey.request import ask_of
from attnscope.studies.survey.rows import Columns, row_of


def _tables(model: ats.Model, data: list[Any], method: Any = "gradient", **given: Any) -> tuple[Any, Any]:
    own = {"labels": (), "template": None, "columns": Columns(), "part_texts": 4, "heads": False}
    parameters = {name: value for name, value in given.items() if name not in own}
    ask = ask_of(model, method, parameters, **{**own, **{n: v for n, v in given.items() if n in own}})
    rows = tuple(row_of(one, number, ask.columns) for number, one in enumerate(data))
    tables = Explainer(model, ask, {}).tables(Part(0, rows))
    return tables["words"].to_pandas(), tables["texts"].to_pandas()


def test_words_are_those_of_explain(model: ats.Model, texts: list[str]) -> None:
    words, rows = _tables(model, texts, ["gradient", "deletion"], target=" d")
    for method in ("gradient", "deletion"):
        for number, text in enumerate(texts[:5]):
            alone = ats.explain(model, text, method, target=" d")
            mine = words[(words.number == number) & (words.method == method)]
            assert mine.word.tolist() == [word.text for word in alone.words]
            assert mine.start.tolist() == [word.start for word in alone.words]
            assert mine.score.tolist() == pytest.approx([word.score for word in alone.words], rel=1e-4, abs=1e-7)
            assert rows.value[number] == pytest.approx(alone.measured.value, rel=1e-5)
            assert rows.tokens[number] == len(alone.tokens)
    assert rows.error.isna().all()
    assert (rows.seconds > 0).all()


def test_labels_are_predicted_and_the_likeliest_is_explained_against_the_other(model: ats.Model) -> None:
    labels = [" b", " c"]
    words, texts = _tables(model, ["a b c d", "d c"], labels=labels)
    for number, text in enumerate(["a b c d", "d c"]):
        values = [ats.explain(model, text, "gradient", target=label).measured.value or 0.0 for label in labels]
        likeliest = int(values[1] > values[0])
        assert texts.prediction[number] == labels[likeliest]
        assert texts.value[number] == pytest.approx(abs(values[0] - values[1]), rel=1e-4)
        assert 0.5 <= texts.probability[number] <= 1
    assert words.target.str.contains("minus that of").all()


def test_a_target_of_its_own_comes_first(model: ats.Model) -> None:
    _, texts = _tables(model, [{"text": "a b", "target": " d"}, {"text": "a b", "target": None}], labels=[" b", " c"])
    assert "' d'" in texts.target[0]
    assert "minus" in texts.target[1]
    _, texts = _tables(model, ["a b"], labels=[" b", " c"], target=" e")
    assert "' e'" in texts.target[0]


def test_only_the_words_in_a_template_are_scored_at_their_places_in_the_text(model: ats.Model) -> None:
    words, texts = _tables(model, ["b c", ""], template="a {text} d")
    whole = ats.explain(model, "a b c d", within=(2, 5))
    assert words.word.tolist() == ["b", "c"]
    assert words.start.tolist() == [0, 2]
    assert words.score.tolist() == pytest.approx([word.score for word in whole.words], rel=1e-5)
    assert texts.text.tolist() == ["b c", ""]
    assert "the text is empty" in texts.error[1]
    _, texts = _tables(model, [{"text": "a", "text_pair": "b"}], template="a {text}")
    assert "plain text" in texts.error[0]


def test_a_text_that_fails_is_a_row_and_others_are_as_they_were(model: ats.Model) -> None:
    words, texts = _tables(model, ["a b c", "", {"text": None}, "d e"], ["gradient", "deletion"], target=" f")
    alone, _ = _tables(model, ["a b c", "d e"], ["gradient", "deletion"], target=" f")
    assert words.score.tolist() == pytest.approx(alone.score.tolist(), rel=1e-5)
    assert texts.error.isna().tolist() == [True, False, False, True]
    assert texts.error[1].startswith("TextError")
    assert texts.error[2] == "there is no text"


def test_a_method_that_fails_alone_is_named(model: ats.Model) -> None:
    # A causal model's attention has no contrast.
    _, texts = _tables(model, ["a b c"], ["gradient", "attention"], target=" d", against=" e")
    assert texts.error[0].startswith("attention: ")
    assert texts.value.notna().all()


def test_the_labels_of_a_classifier_have_names() -> None:
    _, texts = _tables(classifier("Sequence"), [{"text": "a b c", "gold": 2}, "d e"])
    assert set(texts.prediction) <= {"NEGATIVE", "NEUTRAL", "POSITIVE"}
    assert texts.gold[0] == "POSITIVE"


def test_words_know_whether_people_find_them_important(model: ats.Model) -> None:
    words, _ = _tables(model, [{"text": "a b c", "rationale": [[2, 3]]}, "a b"])
    assert words.rationale.tolist() == [False, True, False, None, None]


def test_a_right_label_is_told_without_its_space_and_a_wrong_one_is_named(model: ats.Model) -> None:
    data = [{"text": "a b c", "gold": gold} for gold in ("b", " c", "great", None)]
    words, texts = _tables(model, data, labels=[" b", " c"])
    assert texts.gold.tolist()[:2] == [" b", " c"]
    assert texts.gold.isna().tolist() == [False, False, True, True]
    assert texts.error[2] == "the gold label 'great' is none of ' b', ' c'"
    assert texts.error.isna().tolist() == [True, True, False, True]
    assert len(words) == 12, "it is explained all the same"
    _, texts = _tables(classifier("Sequence"), [{"text": "a b", "gold": "positive"}])
    assert "'positive' is none of" in texts.error[0]


def test_words_know_the_part_of_the_text_that_they_stand_in(model: ats.Model) -> None:
    words, _ = _tables(model, ["a b", "a b\n\nc d\n\ne"])
    assert words.segment.isna().tolist() == [True, True, *[False] * 5]
    assert words.segment.tolist()[2:] == ["paragraph 1", "paragraph 1", "paragraph 2", "paragraph 2", "paragraph 3"]
    words, _ = _tables(model, ["a b\n\nc"], template="d\n\n{text} e")
    assert words.segment.tolist() == ["paragraph 1", "paragraph 1", "paragraph 2"]


def test_words_of_pairs_and_chats_know_their_text_and_turn(smollm2: ats.Model, minilm: ats.Model) -> None:
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
    words, _ = _tables(smollm2, [{"messages": chat}])
    said = list(zip(words.word, words.segment, strict=True))
    assert {("brief", "1 system"), ("Why", "2 user")} <= set(said)
    assert {segment for _, segment in said} == {"1 system", "2 user"}
    words, texts = _tables(minilm, [{"text": "a b", "text_pair": "c"}], "attention")
    assert texts.error.isna().all()
    assert list(zip(words.word, words.segment, strict=True)) == [("a", "text"), ("b", "text"), ("c", "text_pair")]
