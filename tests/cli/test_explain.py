"""`attnscope explain`, and its advice: a line on standard error, never in what is on standard output."""

import json
import warnings
from pathlib import Path

import pytest
from command_line import TEXT, failed, run

import attnscope as ats
from attnscope.cli.tables import answering

SPACE = "attnscope: the text ends with a space"


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
    assert "no renderer writes '.docx': expected one of .html" in failed(
        "explain", TEXT, "--generate", "2", "--per-token", "-o", "out.docx"
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


@pytest.fixture
def _heard() -> None:
    # pytest's own settings ignore it; they come back after the test.
    warnings.simplefilter("always", ats.AdviceWarning)


def advice_in(stderr: bytes) -> list[str]:
    return [line for line in stderr.decode().splitlines() if line.startswith("attnscope: ") and "wrote" not in line]


@pytest.mark.usefixtures("_heard")
def test_advice_is_on_standard_error_alone(folder: str) -> None:
    asked = ("explain", "-m", folder, "--generate", "1")
    for more in ((), ("--json",)):
        plain, advised = run(*asked, "a b", *more), run(*asked, "a b ", *more)
        assert plain.returncode == advised.returncode == 0
        assert advice_in(plain.stderr) == []
        (line,) = advice_in(advised.stderr)
        assert line.startswith(SPACE)
        assert b"ends with a space" not in advised.stdout
    assert ats.Attribution.from_json(advised.stdout.decode()).text.startswith("a b ")


@pytest.mark.usefixtures("_heard")
def test_a_file_that_is_written_has_no_advice_in_it(folder: str, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    done = run("explain", "-m", folder, "--generate", "1", "a b ", "-o", str(out))
    assert len(advice_in(done.stderr)) == 1
    assert done.stdout == b""
    assert "ends with a space" not in out.read_text("utf-8")


@pytest.mark.usefixtures("_heard")
def test_many_texts_hear_of_each_cause_once(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "_TOGETHER", 2)  # several calls of the library are one of the command
    (tmp_path / "t.txt").write_text("a b \nnotes.txt\nc d \nb.csv\ne f \n")
    asked = ("explain", "-m", folder, "-f", str(tmp_path / "t.txt"), "--lines", "--generate", "1")
    done = run(*asked, "--json")
    first, second = advice_in(done.stderr)
    assert first.startswith(SPACE)
    assert "'notes.txt' is the name of a file" in second
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [row["number"] for row in rows] == [0, 1, 2, 3, 4]
    assert len(advice_in(run(*asked).stderr)) == 2


@pytest.mark.usefixtures("_heard")
def test_it_is_silenced_as_python_silences_warnings(folder: str) -> None:
    warnings.simplefilter("ignore", ats.AdviceWarning)
    assert run("explain", "-m", folder, "--generate", "1", "a b ", "--json").stderr == b""


def test_the_similarity_to_another_text(minilm: ats.Model, tmp_path: Path) -> None:
    asked = ("--model", minilm.name, "--method", "deletion")
    assert "--pooling mean" in failed("explain", "a cat", *asked, "--similar-to", "a kitten")
    done = run("explain", "a cat", *asked, "--pooling", "mean", "--similar-to", "a kitten", "--json")
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)["measured"]["value"]
    expected = ats.explain(ats.load(minilm, pooling="mean"), "a cat", "gradient", similar_to="a kitten").measured.value
    assert value == pytest.approx(expected, abs=1e-5)
    table = tmp_path / "pairs.csv"
    table.write_text("text,similar_to\na cat,a kitten\nthe rug,\n")
    done = run("explain", "--file", str(table), *asked, "--pooling", "mean", "--similar-to", "the mat", "--json")
    assert done.returncode == 0, done.stderr
    targets = [json.loads(line)["asked"]["target"] for line in done.stdout.splitlines()]
    assert targets == ["cosine similarity to 'a kitten'", "cosine similarity to 'the mat'"]
