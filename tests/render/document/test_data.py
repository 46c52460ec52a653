"""Results as data: what is written is what `save` writes, and reads as the same result."""

import json
from pathlib import Path
from typing import Any

import pytest
from drawn_results import EVERY, RESULTS, result

from attnscope.render import render
from attnscope.render.document.data import render_json, render_lines, render_safetensors
from attnscope.results.attribution import Attribution


@pytest.mark.parametrize("name", RESULTS)
def test_json_comes_back(name: str) -> None:
    assert Attribution.from_json(render(RESULTS[name], ".json").decode()) == RESULTS[name]


@pytest.mark.parametrize("name", EVERY)
def test_json_is_that_of_the_result(name: str) -> None:
    assert render_json(EVERY[name]).decode() == EVERY[name].to_json()


def test_half_a_surrogate_pair_is_written() -> None:
    assert json.loads(render_json(result("half \ud800 pair")))["text"] == "half \ud800 pair"


@pytest.mark.parametrize(
    ("name", "suffix", "write"),
    [("evaluation", "jsonl", render_lines), ("attention_maps", "safetensors", render_safetensors)],
)
def test_lines_and_safetensors_are_what_save_writes(name: str, suffix: str, write: Any, tmp_path: Path) -> None:
    EVERY[name].save(tmp_path / f"saved.{suffix}")
    assert write(EVERY[name]) == (tmp_path / f"saved.{suffix}").read_bytes()
    assert render(EVERY[name], f".{suffix}") == write(EVERY[name])
