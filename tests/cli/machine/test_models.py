"""`attnscope models`."""

import json

from command_line import run

import attnscope as ats


def test_models_lists_the_bundled_one(smollm2: ats.Model) -> None:
    assert b"SmolLM2-135M-Instruct" in run("models").stdout
    rows = json.loads(run("models", "--json").stdout)
    assert next(row for row in rows if "SmolLM2" in row["name"])["bytes"] > 5e8
