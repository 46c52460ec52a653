"""`--linear`: layers of linear attention from the command line."""

import json
from pathlib import Path

import pytest
from command_line import failed, run
from planted import copy_tokenizer
from tiny_models import linear

import attnscope as ats

TEXT = "a c e g b d f h"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Falcon-H1, whose layers have attention weights and Mamba 2."""
    path = tmp_path_factory.mktemp("both")
    linear("falcon_h1").save_pretrained(path)
    copy_tokenizer().save_pretrained(path)
    return str(path)


def test_a_row_is_the_librarys(both: str) -> None:
    asked = ["attention", TEXT, "-m", both, "--layer", "0", "--head", "1", "--query", "-1", "--json"]
    for given, options in ((["--linear"], {"linear": True}), ([], {})):
        done = run(*asked, *given)
        assert done.returncode == 0, done.stderr
        ours = ats.Attribution.from_json(done.stdout.decode())
        theirs = ats.attention(both, TEXT, layer=0, head=1, query=-1, **options)
        assert ours.scores == pytest.approx(theirs.scores, abs=1e-6)
        assert (ours.signed, ours.asked, ours.measured) == (bool(given), theirs.asked, theirs.measured)


def test_maps_are_the_librarys(both: str, tmp_path: Path) -> None:
    done = run("maps", TEXT, "-m", both, "--linear", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["signed"] is True
    assert "signed" not in json.loads(run("maps", TEXT, "-m", both, "--json").stdout)
    kept = tmp_path / "maps.safetensors"
    assert run("maps", TEXT, "-m", both, "--linear", "-o", str(kept)).returncode == 0
    for suffix in ("html", "svg"):
        drawn = run("render", str(kept), "-o", str(tmp_path / f"maps.{suffix}"))
        assert drawn.returncode == 0, drawn.stderr
        assert "Mamba 2" in (tmp_path / f"maps.{suffix}").read_text()


@pytest.mark.parametrize("command", [["flow"], ["explain", "--method", "rollout", "--set", "query=-1"]])
def test_rollout_follows_linear_attention(command: list[str], both: str) -> None:
    explain = command[0] == "explain"
    given = ["--set", "linear=true"] if explain else ["--linear", "--query", "-1"]
    done = run(*command, TEXT, "-m", both, *given, "--json")
    assert done.returncode == 0, done.stderr
    ours = ats.Attribution.from_json(done.stdout.decode())
    theirs = ats.explain(both, TEXT, method="rollout", linear=True, query=-1)
    assert ours.scores == pytest.approx(theirs.scores, abs=1e-6)
    assert abs(ours.scores - ats.explain(both, TEXT, method="rollout", query=-1).scores).max() > 1e-3


def test_where_there_is_none_it_says_so(both: str, folder: str) -> None:
    for command in ("attention", "maps", "flow"):
        assert "has no linear attention that attnscope can unroll: leave" in failed(
            command, TEXT, "-m", folder, "--linear"
        )
    said = failed("flow", TEXT, "-m", both, "--method", "attention_flow", "--linear")
    assert "linear" in said
    assert "--linear" in run("maps", "--help").stdout.decode()
