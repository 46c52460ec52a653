"""What all commands share: help, errors in one line, exit codes."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from command_line import TEXT, failed, process, run
from planted import copy_tokenizer
from snapshot import forget_all
from tiny_models import tiny

import attnscope as ats
from attnscope.cli import COMMANDS


def test_help_teaches() -> None:
    shown = run("--help").stdout
    for command in COMMANDS:
        assert command.encode() in shown
        assert b"attnscope" in run(command, "--help").stdout


def test_no_help_loads_torch() -> None:
    """Of the whole and of every command, in one process: what one loads stays loaded."""
    code = (
        "import sys; from attnscope.cli import COMMANDS, app\n"
        "for words in ([], *([name] for name in COMMANDS)):\n"
        "    try: app([*words, '--help'])\n"
        "    except SystemExit as stopped: assert not stopped.code, (words, stopped.code)\n"
        "    bad = {'torch', 'transformers', 'tokenizers', 'matplotlib'} & set(sys.modules)\n"
        "    if bad: sys.exit(f'{words} --help imports {sorted(bad)}')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Usage: ") == 1 + len(COMMANDS)


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


def test_a_failure_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    net = tiny("llama")
    torch.nn.init.constant_(net.lm_head.weight, torch.nan)
    net.save_pretrained(tmp_path)
    forget_all()  # it was broken on purpose
    copy_tokenizer().save_pretrained(tmp_path)
    assert "nan" in failed("gradient", "a b c", "--model", str(tmp_path), code=1)


def test_debug_shows_the_traceback() -> None:
    done = process("render", "no-such-file.json", "--debug")
    assert b"Traceback" in done.stderr
    assert b"InputError" in done.stderr


def test_a_failed_run_leaves_an_old_file_alone(tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    out.write_text("old")
    assert run("attention", TEXT, "--layer", "99", "-o", str(out)).returncode == 2
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--dtype", "fp16"), "not one of 'float32', 'bfloat16', 'float16'"),
        (("--device", "gpu"), "choose cpu, cuda, mps or auto"),
        (("--device", "cuda"), "torch finds no cuda device"),
        (("--device", "cuda:1"), "torch finds no cuda device"),
        (("--device", "mps"), "torch finds no mps device"),
    ],
)
def test_a_type_or_device_that_is_not_there_is_one_line(
    option: tuple[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    message = failed("gradient", "the castle", *option)
    assert says in message
    assert "should not happen" not in message


def test_version_and_short_help() -> None:
    assert run("--version").stdout.decode() == f"attnscope {version('attnscope')}\n"
    for arguments in ((), ("explain",)):
        short, long = (run(*arguments, flag) for flag in ("-h", "--help"))
        assert short.returncode == 0
        assert short.stdout == long.stdout
        assert b"Usage" in short.stdout


def test_a_switch_shows_no_type_and_a_choice_shows_its_choices() -> None:
    for command in (["--help"], *([name, "--help"] for name in COMMANDS)):
        assert b"<bool>" not in run(*command).stdout, command
    shown = run("gradient", "--help").stdout
    for choices in (b"l2|l1", b"sum|mean|max", b"promptrobust"):
        assert choices in shown
    assert "'l2'" in failed("gradient", TEXT, "--norm", "l3")


def test_words_are_completed() -> None:
    asked = {"_ATTNSCOPE_COMPLETE": "complete_bash", "COMP_WORDS": "attnscope explain --unit se", "COMP_CWORD": "3"}
    code = "import sys; sys.argv = ['attnscope']; from attnscope.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=os.environ | asked, check=False)
    assert done.stdout.split() == [b"sentence", b"segment"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("command", [["--version"], ["render", "long.json", "--json"]])
def test_a_full_disk_behind_standard_output_is_one_line(command: list[str], tmp_path: Path) -> None:
    """Met when all is said, or, where that is more than is held back, while it is said."""
    ats.Attribution.of("word " * 2000, ["word"] * 2000, [1.0] * 2000).save(tmp_path / "long.json")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "attnscope", *command],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == b"attnscope: standard output: No space left on device\n"
