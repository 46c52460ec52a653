"""`attnscope compare`, on a tiny model in a folder."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Run, failed, run

import attnscope as ats
import attnscope.cli.pairs.compare as compare_command
import attnscope.studies.compare as compare_module
from attnscope.cli.pairs.compare import pairs_of
from attnscope.errors import InputError, OutputError
from attnscope.results.comparison import Comparison, Comparisons

LABELS = ("--label", " c", "--label", " x")


@pytest.mark.parametrize("suffix", ["html", "png", "svg", "pdf", "tex", "csv", "json", "txt"])
def test_a_pair_in_every_form(run_tiny: Run, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"pair.{suffix}"
    run_tiny("compare", "a b c", "a b x", *LABELS, "--expected", " c", "-o", str(out))
    assert out.stat().st_size > 100
    if suffix == "json":
        saved = Comparison.load(out)
        assert saved.expected == " c"
        run_tiny("render", str(out), "-o", str(tmp_path / "again.html"), model=False)
        assert (tmp_path / "again.html").read_text().count("<li") > 3


def test_a_pair_in_the_terminal_and_as_json(run_tiny: Run) -> None:
    assert "attention moved to the edits" in run_tiny("compare", "a b c", "a b x", *LABELS).stdout
    shown = run_tiny(
        "compare", "a b c", "a b x", "--json", "--method", "deletion", "--set", "signed=true", *LABELS
    ).stdout
    assert json.loads(shown)["left"]["result"]["asked"]["options"]["signed"] is True


def test_two_models(run_tiny: Run, folder: str) -> None:
    data = json.loads(run_tiny("compare", "a b c d", "--other", folder, "--json").stdout)
    assert data["left"]["result"]["text"] == data["right"]["result"]["text"] == "a b c d"


def test_many_pairs(run_tiny: Run, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    one = {"clean": "a b c", "adversarial": "a x c", "sample": "d e", "labels": [" c", " x"], "expected": " c"}
    pairs.write_text("\n".join(json.dumps(one | {"attack": name}) for name in ("swap", "typo")) + "\n")
    run_tiny("compare", str(pairs), "-o", str(tmp_path / "report.html"))
    assert (tmp_path / "report.html").read_text().count('class="sheet"') == 2
    run_tiny("compare", str(pairs), "-o", str(tmp_path / "report.json"))
    saved = Comparisons.load(tmp_path / "report.json")
    assert [s.name for s in saved.summaries()] == ["swap", "typo", "all"]
    assert "right before" in run_tiny("render", str(tmp_path / "report.json"), model=False).stdout


def test_a_line_separator_in_a_text_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    pair = {"clean": "a\u2028b", "adversarial": "a\x85c"}
    path.write_text(json.dumps(pair, ensure_ascii=False) + "\n", "utf-8")
    assert pairs_of(path) == [pair]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no pairs"),
        ("{}", "line 1 of .* is not a pair"),
        ('{"clean": 1, "adversarial": "a"}', "must be strings, or chats as messages"),
        ("x", "line 1"),
    ],
)
def test_pairs_that_are_none(run_tiny: Run, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "pairs.jsonl").write_text(content)
    with pytest.raises(InputError, match=message):
        run_tiny("compare", str(tmp_path / "pairs.jsonl"))


def test_an_output_that_cannot_be_written_is_refused_first(run_tiny: Run, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.html"):
        run_tiny("compare", "a", "b", "-o", str(tmp_path / "x.docx"))


def test_one_text_alone_is_answered_in_the_command_line_s_own_words() -> None:
    message = failed("compare", "one text")
    assert "--other MODEL" in message
    assert "other=" not in message


def _chat(path: Path, said: str, **more: object) -> str:
    messages = [{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": said}]
    path.write_text(json.dumps({"messages": messages, **more} if more else messages))
    return str(path)


def test_two_chats(smollm2: ats.Model, tmp_path: Path) -> None:
    files = [
        _chat(tmp_path / f"{name}.json", said) for name, said in (("one", "Is it good?"), ("other", "Iis it god?"))
    ]
    asked = ("--label", "Yes", "--label", "No", "--sample", "A castle.", "--json")
    done = run("compare", "--messages", files[0], "--messages", files[1], *asked)
    assert done.returncode == 0, done.stderr
    found = Comparison.from_json(done.stdout.decode())
    texts = [json.loads(Path(file).read_text()) for file in files]
    expected = ats.compare(smollm2, *texts, labels=["Yes", "No"], sample="A castle.")
    assert found.right.result.asked.messages[1]["content"] == "Iis it god? A castle."
    for one, other in ((found.left, expected.left), (found.right, expected.right)):
        assert one.result.scores == pytest.approx(other.result.scores, abs=1e-5)
        assert dict(one.probabilities) == pytest.approx(dict(other.probabilities), abs=1e-5)
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(json.dumps({"clean": texts[0], "adversarial": texts[1], "labels": ["Yes", "No"]}) + "\n")
    assert run("compare", str(pairs), "--sample", "A castle.", "-o", str(tmp_path / "out.json")).returncode == 0
    (many,) = Comparisons.load(tmp_path / "out.json").pairs
    assert many.right.result.scores == pytest.approx(found.right.result.scores, abs=1e-5)


def test_chats_that_cannot_be_compared(tmp_path: Path) -> None:
    one, other = (_chat(tmp_path / f"{name}.json", "Is it?") for name in ("one", "other"))
    with_tools = _chat(tmp_path / "tools.json", "Is it?", tools=[{"type": "function"}])
    assert "a second --messages" in failed("compare", "--messages", one)
    assert "give texts or --messages" in failed("compare", "a", "--messages", one)
    assert "give texts or --messages" in failed("compare", *(("--messages", one) * 3))
    assert "other tools or template variables" in failed("compare", "--messages", other, "--messages", with_tools)


def test_a_pair_that_fails_loses_nothing_of_the_others(folder: str, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    one = {"clean": "a b c", "adversarial": "a x c", "labels": [" c", " x"]}
    pairs.write_text("\n".join(json.dumps(pair) for pair in (one, one | {"adversarial": ""}, one)))
    out = tmp_path / "report.json"
    done = run("compare", str(pairs), "--model", folder, "-o", str(out))
    assert done.returncode == 1
    said = done.stderr.decode()
    assert "attnscope: pair 2 of 3: the text is empty" in said
    assert "attnscope: 1 of 3 pairs failed and are left out" in said
    assert len(Comparisons.load(out).pairs) == 2
    pairs.write_text("\n".join(json.dumps(one | {"clean": ""}) for _ in range(2)))
    assert "pair 1 of 2" in run("compare", str(pairs), "--model", folder).stderr.decode()


def test_a_run_that_is_stopped_goes_on_where_it_was(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = tmp_path / "pairs.jsonl"
    one = {"clean": "a b c", "adversarial": "a x c", "labels": [" c", " x"]}
    several = [one | {"clean": f"{word} b c"} for word in "abcd"]
    pairs.write_text("\n".join(json.dumps(pair) for pair in several))
    asked = ("compare", str(pairs), "--model", folder, "--method", "deletion", "-o")
    whole, out, kept = (tmp_path / name for name in ("whole.json", "out.json", "out.json.part"))
    assert run(*asked, str(whole)).returncode == 0
    assert not whole.with_name("whole.json.part").exists()

    ran: list[str] = []
    stop_at: list[str | None] = ["c b c"]
    compare = compare_module.compare

    def stopping(model: ats.Model, clean: str, *others: Any, **given: Any) -> Comparison:
        if clean == stop_at[0]:
            raise KeyboardInterrupt
        ran.append(clean)
        return compare(model, clean, *others, **given)

    monkeypatch.setattr(compare_module, "compare", stopping)
    assert run(*asked, str(out)).returncode != 0
    assert not out.exists()
    # A kill in the middle of a line.
    kept.write_bytes(kept.read_bytes() + b'{"asked": "')
    stop_at[0] = None
    ran.clear()
    assert run(*asked, str(out)).returncode == 0
    assert ran == ["c b c", "d b c"]
    assert out.read_bytes() == whole.read_bytes()
    assert not kept.exists()


def test_pairs_of_a_model_that_has_been_trained_further_are_not_taken(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"1")
    before = compare_command._files(str(tmp_path))
    weights.write_bytes(b"22")
    assert before
    assert compare_command._files(str(tmp_path)) != before
    assert compare_command._files("a/hub-id") == []
