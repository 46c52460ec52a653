"""Consoles that are not UTF-8: nothing crashes, what they lack is readable, and JSON is UTF-8."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import run
from planted import copy_tokenizer
from tiny_models import tiny

import attnscope as ats

ENCODINGS = ["cp1252", "cp932", "ascii"]


def process(encoding: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": f"{encoding}:strict", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "attnscope", *arguments]
    return subprocess.run(command, capture_output=True, env=environment, check=False)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "熊本.json"
    model = ats.Model(tiny("llama", sharp=2.0), copy_tokenizer())
    result = ats.explain(model, "a b … 熊本 é", "gradient_x_input", target=" c")
    return ats.save(result, path)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_result_is_printed_in_any_encoding(saved: Path, encoding: str) -> None:
    done = process(encoding, "render", str(saved))
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode(encoding)
    assert ("熊本" in shown) == (encoding == "cp932")
    assert ("\\u718a\\u672c" in shown) == (encoding != "cp932")
    failed = process(encoding, "render", "熊本–…")
    assert failed.returncode == 2
    assert b"this should not happen" not in failed.stderr
    assert failed.stderr.count(b"\n") == 1


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_is_utf_8_in_any_encoding(saved: Path, encoding: str) -> None:
    done = process(encoding, "render", str(saved), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.decode("utf-8"))["text"] == "a b … 熊本 é"
    assert "熊本".encode() in done.stdout
    plain = run("methods", encoding=encoding)
    assert plain.returncode == 0, plain.stderr
