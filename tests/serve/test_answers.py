"""What the playground answers is what the library gives; it is kept, and nothing of it is made up."""

import json
from base64 import b64decode
from collections.abc import Iterator

import numpy as np
import pytest
from browsing import asked
from tiny_models import classifier, small

import attnscope as ats
from attnscope.errors import InputError
from attnscope.serve import answers
from attnscope.serve.answers import answered
from attnscope.serve.questions import question
from attnscope.serve.session import Session

TEXT = "a b c d e"


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session([small("llama", sharp=2.0)], max_tokens=60)
    yield made
    made.close()


@pytest.mark.parametrize("method", ["gradient", "integrated_gradients", "deletion", "attention", "rollout"])
def test_importance_is_what_explain_gives(session: Session, method: str) -> None:
    model = session.worker("").model
    for target in ({}, {"target": "f"}):
        answer, told = asked(session, ask="importance", method=method, **target)
        result = json.loads(answer["result"])
        expected = ats.explain(model, TEXT, method, **(target or {"generate": 1}))
        np.testing.assert_allclose([w["score"] for w in result["words"]], expected.scores, rtol=1e-4, atol=1e-6)
        if not target:
            assert [name for name, _ in told] == ["next"]
            assert told[0][1][0]["text"].strip() == answer["of"].strip()


def test_what_was_asked_before_is_not_run_again(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = asked(session, ask="importance")
    for name in ("next_word", "explain"):
        monkeypatch.setattr(answers, name, lambda *_, **__: pytest.fail("it was run again"))
    again, told = asked(session, ask="importance")
    assert again == first
    assert told


def test_the_first_generated_token_is_the_one_that_is_explained_already(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = asked(session, ask="importance")
    run = answers.next_word
    written: list[int] = []

    def counted(*given: object, **more: object) -> object:
        written.append(len(more.get("written", ())))  # type: ignore[arg-type]
        return run(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(answers, "next_word", counted)
    _, told = asked(session, ask="generate", count=3, target=" b")
    assert written == [1, 2]
    token = next(data for name, data in told if name == "token")
    assert token["text"] == first["of"]
    assert [score for _, _, score in token["words"]] == pytest.approx(
        [word["score"] for word in json.loads(first["result"])["words"]], rel=1e-5
    )


def test_what_is_long_is_asked_about_first(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LONG", -1.0)
    answer, told = asked(session, ask="importance", method="deletion")
    assert "deletion of 5 tokens takes up to" in answer["plan"]
    assert [name for name, _ in told] == ["next"]
    for long in ("maps", "generate", "file"):
        assert asked(session, ask=long)[0]["seconds"] >= 0
    assert "result" in asked(session, ask="importance", method="deletion", go=True)[0]
    # What is kept takes no time.
    assert "result" in asked(session, ask="importance", method="deletion")[0]
    assert "base64" in asked(session, ask="file", method="deletion", suffix=".json")[0]


def test_a_classifier_is_asked_about_its_label() -> None:
    session = Session([classifier("Sequence")])
    try:
        answer, told = asked(session, ask="importance")
        assert "result" in answer
        assert told == []
        with pytest.raises(InputError, match="does not write a text"):
            asked(session, ask="generate")
    finally:
        session.close()


def test_tokens_are_the_models_own_each_with_its_scores(session: Session) -> None:
    model = session.worker("").model
    answer, told = asked(session, ask="generate", count=4)
    expected = ats.explain(model, TEXT, "gradient", target=answer["written"], per_token=True)
    assert [name for name, _ in told] == ["prompt", *["token"] * len(expected.targets)]
    assert told.pop(0)[1] == TEXT
    assert told[-1][1]["text"] == answer["written"]
    np.testing.assert_allclose(json.loads(answer["result"])["word_scores"], expected.scores, rtol=1e-4, atol=1e-5)
    for (_, token), row in zip(told, expected.scores, strict=True):
        scores = [score for *_, score in token["words"]]
        np.testing.assert_allclose(scores, row[: len(scores)], rtol=1e-3, atol=1e-4)


def test_files_are_todays_files(session: Session) -> None:
    model = session.worker("").model
    for data, begins in [
        ({"suffix": ".html"}, b"<!doctype html>"),
        ({"suffix": ".json", "of": "generate", "target": "f g"}, b"{"),
        ({"suffix": ".html", "of": "maps"}, b"<!doctype html>"),
        ({"suffix": ".csv", "method": "deletion"}, b"place"),
    ]:
        answer, _ = asked(session, ask="file", **data)
        content = b64decode(answer["base64"])
        assert content.startswith(begins) or data["suffix"] == ".csv"
        assert answer["name"].endswith(data["suffix"])
    saved = json.loads(b64decode(asked(session, ask="file", suffix=".json")[0]["base64"]))
    expected = ats.explain(model, TEXT, "gradient", generate=1)
    assert saved["asked"]["target"] == expected.asked.target
    with pytest.raises(InputError, match=r"no renderer writes '\.exe'"):
        asked(session, ask="file", suffix=".exe")


def test_an_unknown_question_is_refused(session: Session) -> None:
    with pytest.raises(InputError, match="nobody answers 'eval'"):
        answered(session, question({"ask": "eval", "text": TEXT}), lambda *_: None)


def test_passages_become_the_prompt_that_cite_asks_and_are_named_as_parts(session: Session) -> None:
    answer, _ = asked(session, ask="importance", text="a b", passages=["c d", "e f"])
    text = json.loads(answer["result"])["text"]
    assert [(name, text[start:end]) for name, start, end in answer["segments"]] == [
        ("passage 1", "c d"),
        ("passage 2", "e f"),
    ]
    chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert question({"ask": "x", "messages": chat}).given == chat


def test_what_is_taken_away_is_saved_as_its_effect(session: Session) -> None:
    saved = asked(session, ask="file", of="without", suffix=".json", target="f", heads=[[1, 2]], edges=[[6, 7, 2, 3]])
    effect = json.loads(b64decode(saved[0]["base64"]))
    less = asked(session, ask="without", target="f", heads=[[1, 2]], edges=[[6, 7, 2, 3]])[0]["without"]
    assert effect["after"] == pytest.approx(less["value"], abs=1e-4)
    python = asked(session, ask="code", of="without", target="f", heads=[[1, 2]], edges=[[6, 7, 2, 3]])[0]["python"]
    assert "ats.knock_out(model, text, target='f', heads=[(1, 2)], edges=[(3, 1)])" in python


def test_all_that_is_taken_away_is_saved_as_one_effect_and_made_by_its_code(session: Session) -> None:
    for taken in ({"removed": [[2, 3], [6, 7]]}, {"removed": [[2, 3]], "heads": [[1, 2]], "edges": [[8, 9, 0, 1]]}):
        shown = asked(session, ask="without", target="f", **taken)[0]
        saved = asked(session, ask="file", of="without", suffix=".json", target="f", **taken)[0]
        effect = json.loads(b64decode(saved["base64"]))
        assert effect["before"] == pytest.approx(shown["with"]["value"], abs=1e-4)
        assert effect["after"] == pytest.approx(shown["without"]["value"], abs=1e-4)
        code = asked(session, ask="code", of="without", target="f", **taken)[0]
        call = code["python"].splitlines()[4].replace("ats.load", "load")
        assert call.startswith("result = ats.knock_out(model, text, target='f', ")
        made = eval(call.removeprefix("result = "), {"ats": ats, "model": session.worker("").model, "text": TEXT})
        assert made.after == pytest.approx(effect["after"], abs=1e-6)
        assert "--word 1" in code["command"]
        assert "--replacement delete" in code["command"]


def test_an_edge_to_a_later_word_is_saved_too_where_words_attend_ahead() -> None:
    model = classifier("Sequence")
    both_ways = Session([model])
    try:
        given = {"target": "POSITIVE", "edges": [[0, 1, 6, 7]]}
        shown = asked(both_ways, ask="without", **given)[0]
        assert shown["without"]["value"] != pytest.approx(shown["with"]["value"], abs=1e-6)
        saved = asked(both_ways, ask="file", of="without", suffix=".json", **given)[0]
        assert json.loads(b64decode(saved["base64"]))["after"] == pytest.approx(shown["without"]["value"], abs=1e-4)
    finally:
        both_ways.close()
