"""attnscope compare and evaluate as a user calls them, on a tiny model in a folder."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from planted import copy_tokenizer
from tiny_models import tiny
from typer.testing import CliRunner, Result

from attnscope.cli import app
from attnscope.cli.compare import pairs_of
from attnscope.cli.evaluate import samples_of
from attnscope.errors import AttnscopeError, InputError, OutputError
from attnscope.results.comparison import Comparison, Comparisons
from attnscope.results.evaluation import Evaluation

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model")
    tiny("llama", sharp=2.0).save_pretrained(path)
    copy_tokenizer().save_pretrained(path)
    return str(path)


@pytest.fixture
def run(folder: str) -> Run:
    def call(*arguments: str, model: bool = True) -> Result:
        done = CliRunner().invoke(app, [*arguments, *(["--model", folder] if model else [])])
        if isinstance(done.exception, AttnscopeError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done

    return call


LABELS = ("--label", " c", "--label", " x")


@pytest.mark.parametrize("suffix", ["html", "png", "svg", "pdf", "tex", "csv", "json", "txt"])
def test_a_pair_in_every_form(run: Run, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"pair.{suffix}"
    run("compare", "a b c", "a b x", *LABELS, "--expected", " c", "-o", str(out))
    assert out.stat().st_size > 100
    if suffix == "json":
        saved = Comparison.load(out)
        assert saved.expected == " c"
        run("render", str(out), "-o", str(tmp_path / "again.html"), model=False)
        assert (tmp_path / "again.html").read_text().count("<li") > 3


def test_a_pair_in_the_terminal_and_as_json(run: Run) -> None:
    assert "attention moved to the edits" in run("compare", "a b c", "a b x", *LABELS).stdout
    shown = run("compare", "a b c", "a b x", "--json", "--method", "deletion", "--set", "signed=true", *LABELS).stdout
    assert json.loads(shown)["left"]["result"]["asked"]["options"]["signed"] is True


def test_two_models(run: Run, folder: str) -> None:
    data = json.loads(run("compare", "a b c d", "--other", folder, "--json").stdout)
    assert data["left"]["result"]["text"] == data["right"]["result"]["text"] == "a b c d"


def test_many_pairs(run: Run, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    one = {"clean": "a b c", "adversarial": "a x c", "sample": "d e", "labels": [" c", " x"], "expected": " c"}
    pairs.write_text("\n".join(json.dumps(one | {"attack": name}) for name in ("swap", "typo")) + "\n")
    run("compare", str(pairs), "-o", str(tmp_path / "report.html"))
    assert (tmp_path / "report.html").read_text().count('class="sheet"') == 2
    run("compare", str(pairs), "-o", str(tmp_path / "report.json"))
    saved = Comparisons.load(tmp_path / "report.json")
    assert [s.name for s in saved.summaries()] == ["swap", "typo", "all"]
    assert "right before" in run("render", str(tmp_path / "report.json"), model=False).stdout


def test_a_line_separator_in_a_text_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    pair = {"clean": "a\u2028b", "adversarial": "a\x85c"}
    path.write_text(json.dumps(pair, ensure_ascii=False) + "\n", "utf-8")
    assert pairs_of(path) == [pair]
    path.write_text(json.dumps({"text": "a\u2028b\x85c"}, ensure_ascii=False) + "\n", "utf-8")
    assert [sample.text for sample in samples_of(path)] == ["a\u2028b\x85c"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no pairs"),
        ("{}", "line 1 of .* is not a pair"),
        ('{"clean": 1, "adversarial": "a"}', "must be strings"),
        ("x", "line 1"),
    ],
)
def test_pairs_that_are_none(run: Run, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "pairs.jsonl").write_text(content)
    with pytest.raises(InputError, match=message):
        run("compare", str(tmp_path / "pairs.jsonl"))


def test_evaluate_goes_on_and_draws_rows(run: Run, tmp_path: Path) -> None:
    texts, rows = tmp_path / "texts.txt", tmp_path / "rows.jsonl"
    texts.write_text("a b c d\n\nc d e f g\n")
    asked = (
        "evaluate",
        str(texts),
        "--method",
        "gradient",
        "--method",
        "occlusion:window=2",
        "--metric",
        "aopc",
        *LABELS,
    )
    first = run(*asked, "--rows", str(rows)).stdout
    assert "occlusion (window=2)" in first
    assert "random" in first
    stamp = rows.read_text()
    assert run(*asked, "--rows", str(rows)).stdout == first
    assert rows.read_text() == stamp, "nothing was left to do"
    for suffix in ("html", "png", "tex", "csv", "json", "jsonl"):
        run("evaluate", str(rows), "-o", str(tmp_path / f"found.{suffix}"), model=False)
    assert Evaluation.load(tmp_path / "found.jsonl").texts == 2
    run("render", str(rows), "-o", str(tmp_path / "drawn.html"), model=False)


def test_samples_say_what_is_asked(run: Run, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text(json.dumps({"text": "a b c d e", "target": " c", "within": [2, 7], "human": [[4, 5, 1.0]]}) + "\n")
    found = json.loads(
        run("evaluate", str(texts), "--method", "gradient", "--metric", "human_overlap", "--json").stdout
    )
    assert found["rows"][0]["words"] == ["b", "c", "d"]
    texts.write_text("nothing\n")
    with pytest.raises(InputError, match=r"line 1 of .* is not JSON"):
        run("evaluate", str(texts))


def test_an_output_that_cannot_be_written_is_refused_first(run: Run, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.html"):
        run("compare", "a", "b", "-o", str(tmp_path / "x.docx"))
    with pytest.raises(OutputError, match="does not exist"):
        run("evaluate", "none.txt", "-o", str(tmp_path / "no" / "x.html"))
