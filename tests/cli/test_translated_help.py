"""Help and errors of the command line under a Japanese locale."""

import os
import re
import subprocess
import sys

import pytest
import typer

from attnscope.cli import app
from attnscope.cli.translated_help import sentences, translate
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
    assert japanese == "attnscope: nothing.json を読み込めません：No such file or directory\n"
