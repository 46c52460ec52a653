"""`attnscope models`."""

import json

from command_line import run


def test_models_lists_the_bundled_one() -> None:
    assert b"SmolLM2-135M-Instruct" in run("models").stdout
    rows = json.loads(run("models", "--json").stdout)
    assert next(row for row in rows if "SmolLM2" in row["name"])["bytes"] > 5e8
