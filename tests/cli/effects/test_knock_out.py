"""`attnscope knock-out`, on a tiny model in a folder."""

import json
from pathlib import Path

import pytest
from command_line import Run

from attnscope.cli.effects.knock_out import head_of, layers_of
from attnscope.errors import InputError
from attnscope.results.effects.effect import Effect


@pytest.mark.parametrize("suffix", ["html", "svg", "json", "txt", "md", "csv"])
def test_a_knock_out_in_every_form(run_tiny: Run, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"effect.{suffix}"
    run_tiny("knock-out", "a b c d", "--target", " e", "--head", "1.2", "--edge", "d>a", "-o", str(out))
    assert out.stat().st_size > 100
    if suffix == "json":
        saved = Effect.load(out)
        assert saved.taken.heads == ((1, 2),)
        assert saved.taken.edges[0].query is not None
        assert saved.taken.edges[0].query.text == "d"
        run_tiny("render", str(out), "-o", str(tmp_path / "again.html"), model=False)


def test_everything_can_be_asked_for(run_tiny: Run) -> None:
    shown = run_tiny(
        "knock-out", "a b c d", "--target", " e", "--edge", "*>0", "--edge-layers", "0,2", "--keep-rest",
        "--layer", "1", "--word", "b", "--head", "0.1",
        "--how", "mean", "--replacement", "zero", "--quantity", "logit", "--json",
    ).stdout  # fmt: skip
    taken = json.loads(shown)["taken"]
    assert taken["edge_layers"] == [0, 2]
    assert taken["renormalise"] is False
    assert (taken["how"], taken["replacement"], taken["layers"]) == ("mean", "zero", [1])


def test_in_the_terminal(run_tiny: Run) -> None:
    shown = run_tiny("knock-out", "a b c d", "--layer", "1").stdout
    assert shown.startswith("loss of the text itself (labels = input ids), without layer 1\nbefore ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--head", "15"), "write LAYER.HEAD"),
        (("--edge", "him"), "write QUERY>KEY"),
        (("--edge", "d>a", "--edge-layers", "3-x"), "write numbers and ranges"),
        ((), "nothing is to be taken away"),
        (("--edge", "a>d"), "left to right"),
        (("--layer", "0", "--window", "8"), "leave --window out"),
    ],
)
def test_what_cannot_be_read_is_named(run_tiny: Run, arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(InputError, match=says):
        run_tiny("knock-out", "a b c d", "--target", " e", *arguments)


def test_numbers_are_read() -> None:
    assert head_of("15.7") == (15, 7)
    assert head_of("-1.0") == (-1, 0)
    assert layers_of("3,5-7") == [3, 5, 6, 7]
