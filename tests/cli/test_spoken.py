"""Help and errors of the command line under a Japanese locale."""

import logging
import os
import re
import subprocess
import sys

import pytest
import typer

from attnscope.cli import app
from attnscope.cli.spoken import Lines, sentences, tell, tell_sentence, translate
from attnscope.translation import speaking


def _run(locale: str, *arguments: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "attnscope", *arguments],
        env=os.environ | {"LANGUAGE": "", "LC_ALL": locale, "PYTHONUTF8": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    return done.stdout, done.stderr


def test_every_sentence_of_the_help_is_japanese() -> None:
    command = typer.main.get_command(app)
    english = list(sentences(command))
    assert len(english) > 150
    with speaking("ja"):
        translate(command)
    left = [said for said in sentences(command) if not re.search("[ぁ-ん一-龯ァ-ヶ]", said)]
    assert not left


@pytest.mark.parametrize(("locale", "said"), [("ja_JP.UTF-8", "手法の一覧"), ("C.UTF-8", "List the methods")])
def test_help_is_in_the_language_of_the_locale(locale: str, said: str) -> None:
    shown, _ = _run(locale, "methods", "--help")
    assert said in shown
    assert ("このヘルプを表示して終了します" in shown) == (locale != "C.UTF-8")


def test_an_error_is_in_the_language_of_the_locale() -> None:
    _, english = _run("C.UTF-8", "render", "nothing.json")
    _, japanese = _run("ja_JP.UTF-8", "render", "nothing.json")
    assert english == "attnscope: cannot read nothing.json: No such file or directory\n"
    assert japanese == "attnscope: nothing.json を読み込めません：そのようなファイルやフォルダーはありません\n"


def test_what_the_library_of_the_command_line_says_is_japanese_too() -> None:
    _, shown = _run("ja_JP.UTF-8", "serve", "--port", "99999999")
    assert "--port" in shown
    assert "65535" in shown
    assert not re.search(r"[A-Za-z]{3,} [A-Za-z]{3,}", shown.replace("attnscope --help", ""))


def test_lines_beside_the_results_and_of_the_log_are_japanese(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANGUAGE", "ja")
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    tell("wrote {path}", path="page.html")
    tell_sentence("text 1 of 2: the text is empty: give at least one word")
    error = "the question is empty: give one"
    record = logging.makeLogRecord({"msg": "the edits were not undone one by one: %s", "args": (error,)})
    said = "編集を 1 つずつ元に戻す処理はしませんでした：質問が空です。質問を指定してください"
    assert Lines().format(record) == f"attnscope: {said}"
    assert capsys.readouterr().err == (
        "attnscope: page.html に書き出しました\n"
        "attnscope: テキスト 1（全 2）：テキストが空です。単語を 1 つ以上入れてください\n"
    )
