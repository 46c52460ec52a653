"""`attnscope explain`."""

from pathlib import Path

import pytest
from command_line import TEXT, failed, run

import attnscope as ats


def test_explain_takes_targets_and_parameters(smollm2: ats.Model, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    asked = ("--method", "occlusion", "--target", " old", "--against", " new", "--unit", "token", "--set", "width=2")
    done = run("explain", "The castle is", *asked, "-o", str(out), "--json")
    assert done.returncode == 0, done.stderr
    ours = ats.Attribution.from_json(done.stdout.decode())
    theirs = ats.explain(
        smollm2, "The castle is", method="occlusion", target=" old", against=" new", unit="token", width=2
    )
    assert ours.scores == pytest.approx(theirs.scores, abs=1e-5)
    assert "data-signed" in out.read_text()


def test_explain_each_generated_token() -> None:
    done = run("explain", "The capital of Japan is", "--generate", "2", "--per-token", "--json")
    result = ats.PerToken.from_json(done.stdout.decode())
    assert len(result) == 2
    assert "no renderer writes '.tex': expected one of .html .png .svg .pdf .json .txt" in failed(
        "explain", TEXT, "--generate", "2", "--per-token", "-o", "out.tex"
    )


def test_explain_inside_one_segment() -> None:
    segments = '{"first": [0, 24], "second": [25, 36]}'
    asked = ("--method", "gim", "--target", " Tokyo", "--segments", segments, "--within", "second")
    done = run("explain", "The capital of Japan is. I like it", *asked, "--json")
    assert done.returncode == 2
    assert b"the text's 34" in done.stderr
    done = run(
        "explain", "The capital of Japan is. I like it", *asked[:5], segments.replace("36", "34"), *asked[6:], "--json"
    )
    result = ats.Attribution.from_json(done.stdout.decode())
    assert [w.text for w in result.words] == ["I", "like", "it"]
    assert result.asked.within == (25, 34)


def test_explain_says_what_is_wrong() -> None:
    assert "no method 'gradeint'" in failed("explain", TEXT, "--method", "gradeint")
    assert "write for example --set steps=40" in failed("explain", TEXT, "--set", "steps")
    assert "no parameter 'steps'" in failed("explain", TEXT, "--set", "steps=4")


def test_a_long_text_is_read_in_windows() -> None:
    text = "The castle on the hill was old. " * 12
    done = run("explain", text, "--window", "32", "--json")
    result = ats.Attribution.from_json(done.stdout.decode())
    assert len(result.measured.windows) > 3
    assert result.text == text
    assert "--window is not for maps" in failed("maps", text, "--window", "32")


def test_a_causal_model_says_that_it_reads_no_pairs() -> None:
    assert "puts nothing between two texts" in failed("explain", "Is it old?", "--pair", "The castle is old.")
