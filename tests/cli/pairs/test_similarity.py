"""`attnscope similarity`."""

from pathlib import Path

import pytest
from command_line import failed, run

import attnscope as ats


def test_two_texts_from_the_command_line(minilm: ats.Model, tmp_path: Path) -> None:
    texts = ("the cat", "the kitten")
    asked = ("--model", minilm.name, "--pooling", "mean", "--steps", "3", "--baseline", "mean")
    out = tmp_path / "pair.html"
    done = run("similarity", *texts, *asked, "-o", str(out), "--json")
    assert done.returncode == 0, done.stderr
    found = ats.Similarity.from_json(done.stdout.decode())
    expected = ats.similarity(ats.load(minilm, pooling="mean"), *texts, steps=3, baseline="mean")
    assert found.scores.ravel() == pytest.approx(expected.scores.ravel(), abs=1e-5)
    assert "Why two texts are similar" in out.read_text()
    printed = run("similarity", *texts, *asked)
    assert b"The pairs add up to" in printed.stdout
    saved = tmp_path / "pair.json"
    saved.write_bytes(done.stdout)
    assert run("render", str(saved), "-o", str(tmp_path / "pair.svg")).returncode == 0


def test_what_is_wrong_is_said(minilm: ats.Model) -> None:
    assert "--pooling mean" in failed("similarity", "a", "b", "--model", minilm.name)
    assert "no renderer writes '.docx'" in failed("similarity", "a", "b", "-o", "out.docx")
