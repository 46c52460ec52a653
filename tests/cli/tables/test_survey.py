"""A corpus from the command line, into a folder."""

import json
from pathlib import Path

import pytest
from command_line import Run, failed

import attnscope as ats
from attnscope.errors import InputError


def test_a_folder_from_a_table(run_tiny: Run, tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("body,stars\na b c,1\n,2\nd e,3\n")
    out = str(tmp_path / "out")
    command = ("survey", str(tmp_path / "reviews.csv"), "--text-column", "body", "--label", " b", "--label", " c")
    more = ("--method", "gradient", "--method", "integrated_gradients:steps=4", "--keep", "stars", "-o", out)
    said = run_tiny(*command, *more).stderr
    assert "3 texts" in said
    assert "1 of them failed" in said
    survey = ats.load_result(out)
    assert survey.texts()["stars"].to_pylist() == ["1", "2", "3"]
    assert survey.settings["labels"] == [" b", " c"]
    again = run_tiny(*command, *more, "--json")
    assert json.loads(again.stdout)["texts"] == 3
    with pytest.raises(InputError, match="another survey"):
        run_tiny(*command, "-o", out)


def test_shards_and_templates(run_tiny: Run, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("b c\nd e\nf a\n")
    for shard in ("1/2", "2/2"):
        run_tiny(
            "survey", str(tmp_path / "texts.txt"), "--template", "a {text} b", "--target", " c", "--shard", shard,
            "--part-texts", "1", "--unit", "token", "-o", str(tmp_path / "out"),
        )  # fmt: skip
    survey = ats.load_result(tmp_path / "out")
    assert survey.complete
    assert survey.texts()["text"].to_pylist() == ["b c", "d e", "f a"]


def test_what_is_wrong_is_one_line(tmp_path: Path) -> None:
    assert "there is no" in failed("survey", str(tmp_path / "none.csv"), "-o", str(tmp_path / "out"), code=2)
    assert "--output" in failed("survey", "a.csv", code=2)
