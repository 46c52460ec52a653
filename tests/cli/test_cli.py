"""The command line as a user calls it: its output, its exit code."""

import contextlib
import io
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from planted import copy_tokenizer
from snapshot import watch
from tiny_models import tiny

import attnscope as ats
from attnscope.cli import COMMANDS, main
from attnscope.render import render
from attnscope.results.agreement import Agreement

TEXT = "The castle on the hill was old."


def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command line inside this process, which has torch already: seconds less than a process of its own."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    before = sys.argv, sys.stdin, warnings.showwarning
    sys.argv, sys.stdin = ["attnscope", *arguments], io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as stopped:
            main()
    finally:
        sys.argv, sys.stdin, warnings.showwarning = before
    code = int(stopped.value.code or 0)
    return subprocess.CompletedProcess(arguments, code, out.buffer.getvalue(), err.buffer.getvalue())  # type: ignore[attr-defined]


def process(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command line as a process of its own."""
    command = [sys.executable, "-m", "attnscope", *arguments]
    return subprocess.run(command, input=given, capture_output=True, env=os.environ, check=False)


def failed(*arguments: str, given: bytes = b"", code: int = 2) -> str:
    done = run(*arguments, given=given)
    message = done.stderr.decode()
    assert done.returncode == code, message
    assert done.stdout == b""
    assert message.startswith("attnscope: ")
    assert message.count("\n") == 1, "one line"
    return message


@pytest.mark.parametrize("suffix", ["html", "png", "svg", "pdf", "json", "txt"])
def test_the_suffix_picks_the_renderer(suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"out.{suffix}"
    done = run("attention", TEXT, "--layer", "12", "--head", "3", "--query", "castle", "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert out.stat().st_size > 100
    assert [p.name for p in tmp_path.iterdir()] == [out.name]


def test_json_equals_the_library(smollm2: ats.Model) -> None:
    done = run("attention", TEXT, "--layer", "mean", "--head", "max", "--query", "-2", "--json")
    ours = ats.Attribution.from_json(done.stdout.decode())
    theirs = ats.attention(smollm2, TEXT, layer="mean", head="max", query=-2)
    assert ours.scores == pytest.approx(theirs.scores, abs=1e-6)
    assert ours.asked.options["head"] == "max"


def test_text_from_standard_input_and_from_a_file(tmp_path: Path) -> None:
    text = "熊本県の天気は晴れです。😀"
    (tmp_path / "text.txt").write_text(text + "\n")
    piped = json.loads(process("gradient", "--json", given=f"{text}\n".encode()).stdout)
    read = json.loads(run("gradient", "--json", "--file", str(tmp_path / "text.txt")).stdout)
    assert piped == read
    assert piped["text"] == text


def test_piped_output_is_plain_text() -> None:
    done = process("gradient", TEXT)
    assert b"\x1b" not in done.stdout
    assert "castle" in done.stdout.decode()


def test_chat_and_presets() -> None:
    data = json.loads(run("gradient", "Hello there", "--chat", "--preset", "promptrobust", "--json").stdout)
    assert data["text"] == "Hello there"
    assert data["asked"]["options"]["preset"] == "promptrobust"
    assert any(token["text"] == "<|im_start|>" and token["special"] for token in data["tokens"])


def test_render_draws_a_saved_result_without_torch(tmp_path: Path) -> None:
    saved = tmp_path / "g.json"
    saved.write_bytes(run("gradient", TEXT, "--json").stdout)
    code = (
        "import sys; sys.argv = ['attnscope', 'render', 'g.json', '-o', 'g.svg']\n"
        "from attnscope.cli import COMMANDS, main\n"
        "try: main()\n"
        "except SystemExit as e: sys.exit(e.code or ('torch' in sys.modules) or ('transformers' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"castle" in (tmp_path / "g.svg").read_bytes() or (tmp_path / "g.svg").stat().st_size > 1000


def test_models_lists_the_bundled_one() -> None:
    assert b"SmolLM2-135M-Instruct" in run("models").stdout
    rows = json.loads(run("models", "--json").stdout)
    assert next(row for row in rows if "SmolLM2" in row["name"])["bytes"] > 5e8


def test_help_teaches_and_loads_no_torch() -> None:
    code = "import sys; from attnscope.cli import app\ntry: app()\nexcept SystemExit: sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in COMMANDS:
        assert command.encode() in done.stdout
        assert b"attnscope" in run(command, "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["gradient", ""], "empty"),
        (["gradient", "<|im_end|>"], "nothing but special tokens"),
        (["attention", TEXT, "--layer", "99"], "0 to 29"),
        (["attention", TEXT, "--head", "9"], "0 to 8"),
        (["attention", TEXT, "--query", "99"], "0 to 7"),
        (["attention", TEXT, "--query", "castel"], "'castle'"),
        (["gradient", TEXT, "-m", "./nowhere"], "no such model folder"),
        (["gradient", TEXT, "-o", "no-such-folder/x.html"], "does not exist"),
        (["gradient", TEXT, "-o", "x.htlm"], "did you mean .html"),
        (["gradient", TEXT, "--file", "x"], "give one of them"),
        (["gradient", "--file", "no-such-file"], "cannot read"),
        (["gradient", "--file", sys.executable], "not UTF-8 text"),
        (["gradient", "word " * 9000], "--truncate"),
        (["gradient", "--nonsense"], "--nonsense"),
        (["nonsense"], "nonsense"),
        (["render", "no-such-file.json"], "cannot read"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments: list[str], says: str) -> None:
    assert says in failed(*arguments)


def test_a_damaged_file_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"schema": 1, "kind"')
    assert "not JSON" in failed("render", str(tmp_path / "x.json"))


def test_a_failure_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    net = tiny("llama")
    torch.nn.init.constant_(net.lm_head.weight, torch.nan)
    net.save_pretrained(tmp_path)
    copy_tokenizer().save_pretrained(tmp_path)
    watch(net)  # saving writes to the config
    assert "nan" in failed("gradient", "a b c", "--model", str(tmp_path), code=1)


def test_debug_shows_the_traceback() -> None:
    done = process("gradient", "", "--debug")
    assert b"Traceback" in done.stderr
    assert b"TextError" in done.stderr


def test_a_failed_run_leaves_an_old_file_alone(tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    out.write_text("old")
    assert process("attention", TEXT, "--layer", "99", "-o", str(out)).returncode == 2
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_flow_equals_the_library(smollm2: ats.Model) -> None:
    done = run("flow", TEXT, "--method", "rollout", "--query", "castle", "--heads", "max", "--json")
    assert done.returncode == 0, done.stderr
    ours = ats.explain(smollm2, TEXT, method="rollout", query="castle", heads="max")
    saved = ats.Attribution.from_json(done.stdout.decode())
    assert (saved.asked, saved.measured) == (ours.asked, ours.measured)
    assert [w.score for w in saved.words] == pytest.approx([w.score for w in ours.words], abs=1e-6)


def test_flow_says_what_a_method_does_not_take() -> None:
    assert "rollout, attention_gradient" in failed("flow", TEXT, "--method", "rolout")
    assert "has no contrast" in failed("flow", TEXT, "--against", "x")


def test_plan_says_what_a_request_takes() -> None:
    done = run("plan", "--tokens", "2000", "--method", "rollout")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"rollout of 2,000 tokens takes about ")
    planned = json.loads(run("plan", TEXT, "--json").stdout)
    assert planned["fits"] is True
    assert planned["tokens"] == 8
    huge = run("plan", "--tokens", "1000000")
    assert huge.returncode == 2
    assert b"does not fit" in huge.stdout
    assert huge.stderr.startswith(b"attnscope: this does not fit: choose layers=")


def test_explain_takes_targets_and_parameters(smollm2: ats.Model, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    asked = ("--method", "occlusion", "--target", " old", "--against", " new", "--unit", "token", "--set", "window=2")
    done = run("explain", "The castle is", *asked, "-o", str(out), "--json")
    assert done.returncode == 0, done.stderr
    ours = ats.Attribution.from_json(done.stdout.decode())
    theirs = ats.explain(
        smollm2, "The castle is", method="occlusion", target=" old", against=" new", unit="token", window=2
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


def test_saved_results_of_every_kind_are_drawn_again_and_compared(smollm2: ats.Model, tmp_path: Path) -> None:
    text = "The capital of Japan is. It is"
    made = [ats.explain(smollm2, text, method=m, target=" Tokyo") for m in ("gim", "gradient_x_input", "rollout")]
    for i, result in enumerate(made):
        result.save(tmp_path / f"{i}.json")
    each = ats.explain(smollm2, text, method="gradient", target=" Tokyo and", per_token=True)
    each.save(tmp_path / "each.json")
    assert run("render", str(tmp_path / "each.json"), "-o", str(tmp_path / "each.html")).returncode == 0
    assert (tmp_path / "each.html").read_bytes() == render(each, ".html")
    assert run("render", str(tmp_path / "each.json"), "-o", str(tmp_path / "each.svg")).returncode == 0
    assert (tmp_path / "each.svg").read_bytes() == render(each, ".svg")
    saved = [str(tmp_path / f"{i}.json") for i in range(3)]
    done = run("agreement", *saved, "--top", "2", "-o", str(tmp_path / "a.html"), "--json")
    assert done.returncode == 0, done.stderr
    found = Agreement.from_json(done.stdout.decode())
    assert found.names == ("gim", "gradient_x_input", "rollout")
    assert (tmp_path / "a.html").read_bytes() == render(found, ".html")
    found.save(tmp_path / "a.json")
    assert run("render", str(tmp_path / "a.json")).stdout.decode() == found.table()
    assert "two or more" in failed("agreement", saved[0])
    assert "cannot read" in failed("agreement", saved[0], str(tmp_path / "none.json"))


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


def test_methods_lists_all_with_sign_and_cost() -> None:
    listed = json.loads(run("methods", "--json").stdout)
    assert [row["method"] for row in listed] == list(ats.METHODS)
    assert all(
        row["sign"] and row["cost"] and "target" in row["parameters"] for row in listed if row["method"] != "attention"
    )
    shown = run("methods").stdout.decode()
    assert all(name[:8] in shown for name in ats.METHODS)
    page = Path(__file__).parents[2] / "docs/methods.md"
    written = run("methods", "--markdown").stdout.decode()
    assert written == page.read_text("utf-8"), "attnscope methods --markdown > docs/methods.md"


def test_maps_are_kept_drawn_again_and_printed(smollm2: ats.Model, tmp_path: Path) -> None:
    out = tmp_path / "maps.safetensors"
    done = run("maps", TEXT, "--layers", "0,3-4", "--heads", "2", "-o", str(out))
    assert done.returncode == 0, done.stderr
    kept = ats.AttentionMaps.load(out)
    ours = ats.attention_maps(smollm2, TEXT, layers=[0, 3, 4], heads=[2])
    assert kept.layers == (0, 3, 4)
    assert abs(kept.weights(4, 2) - ours.weights(4, 2)).max() < 1e-6
    for suffix in ("html", "png", "svg", "pdf"):
        drawn = run("render", str(out), "-o", str(tmp_path / f"maps.{suffix}"))
        assert drawn.returncode == 0, drawn.stderr
        assert (tmp_path / f"maps.{suffix}").stat().st_size > 1000
    printed = run("maps", TEXT, "--statistics-only").stdout.decode().splitlines()
    assert printed[0].split("\t")[:2] == ["layer", "head"]
    assert len(printed) == 1 + 30 * 9


def test_maps_say_what_is_wrong(tmp_path: Path) -> None:
    assert "such as 0,3,5-8" in failed("maps", TEXT, "--layers", "a")
    assert "layers 0 to 29" in failed("maps", TEXT, "--layers", "30")
    assert "expected one of .html .png" in failed("maps", TEXT, "-o", str(tmp_path / "x.docx"))


def test_plan_knows_every_method_and_maps_take_a_font(tmp_path: Path) -> None:
    said = run("plan", "--tokens", "2000", "--method", "lime", "--runs", "10")
    assert b"lime of 2,000 tokens takes about" in said.stdout
    assert b"there is no plan for 'x'" in run("plan", "--tokens", "20", "--method", "x").stderr
    drawn = run("maps", TEXT, "--layers", "3", "--heads", "1", "--font", "DejaVu Serif", "-o", str(tmp_path / "m.svg"))
    assert drawn.returncode == 0, drawn.stderr
    assert (tmp_path / "m.svg").stat().st_size > 1000
