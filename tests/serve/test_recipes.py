"""What is shown as Python and as a command line is that: run, it gives the same."""

import ast
import shlex

import pytest

from attnscope.serve.questions import question
from attnscope.serve.recipes import recipe

TEXTS = ("The capital of Japan is", 'it\'s $HOME; `rm` "x"\nnew line', "--help", "日本 \ud83d\ude00", "\\")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("of", ["importance", "maps", "generate"])
def test_any_text_survives_the_quotes(text: str, of: str) -> None:
    made = recipe("a model's", question({"ask": "code", "text": text, "of": of, "target": " x'y"}))
    lines = ast.parse(made["python"]).body
    assert ast.literal_eval(lines[2].value) == text  # type: ignore[attr-defined]
    words = shlex.split(made["command"])
    assert words[:2] == ["attnscope", "maps" if of == "maps" else "explain"]
    assert words[-1] == text
    assert words[words.index("--model") + 1] == "a model's"
    if of != "maps":
        assert words[words.index("--target") + 1] == " x'y"


def test_the_models_own_next_word() -> None:
    made = recipe("m", question({"ask": "code", "text": "a", "method": "deletion"}))
    assert "ats.explain(model, text, 'deletion', generate=1)" in made["python"]
    assert made["command"] == "attnscope explain --model m --method deletion --generate 1 -o page.html a"


def test_a_chat_is_given_as_messages() -> None:
    made = recipe("m", question({"ask": "code", "messages": [{"role": "user", "content": "Hi"}]}))
    assert "messages = [{'role': 'user', 'content': 'Hi'}]" in made["python"]
    assert "--messages chat.json" in made["command"]


@pytest.mark.parametrize("versus", ["text", "model", "method"])
def test_a_comparison_is_made_by_a_call_and_a_command(versus: str) -> None:
    asked = question({"ask": "code", "text": "a b", "of": "compare", "versus": versus, "other": "it's", "target": " c"})
    made = recipe("m", asked)
    ast.parse(made["python"])
    assert '"it\'s"' in made["python"]
    for line in made["command"].splitlines():
        assert shlex.split(line)[0] == "attnscope"
    assert "it's" in shlex.split(made["command"])


def test_what_is_taken_away_is_made_by_a_call_and_a_command() -> None:
    asked = question({"ask": "code", "text": "a b", "of": "without", "heads": [[1, 2]], "target": " c"})
    made = recipe("m", asked, [(1, 0)])
    assert "ats.knock_out(model, text, target=' c', heads=[(1, 2)], edges=[(1, 0)])" in made["python"]
    assert made["command"] == "attnscope knock-out --model m --target ' c' --head 1.2 --edge '1>0' -o page.html 'a b'"
    alone = recipe("m", question({"ask": "code", "text": "a b", "of": "without", "target": " c"}))
    assert "'deletion', target=' c'" in alone["python"]
