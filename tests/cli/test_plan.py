"""`attnscope plan`."""

import json

from command_line import TEXT, run


def test_plan_says_what_a_request_takes() -> None:
    done = run("plan", "--tokens", "2000", "--method", "rollout")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"rollout of 2,000 tokens takes up to ")
    planned = json.loads(run("plan", TEXT, "--json").stdout)
    assert planned["fits"] is True
    assert planned["tokens"] == 8
    huge = run("plan", "--tokens", "1000000")
    assert huge.returncode == 2
    assert b"does not fit" in huge.stdout
    assert huge.stderr.startswith(b"attnscope: this does not fit: choose layers=")


def test_plan_knows_every_method() -> None:
    said = run("plan", "--tokens", "2000", "--method", "lime", "--runs", "10")
    assert b"lime of 2,000 tokens takes up to" in said.stdout
    assert b"there is no plan for 'x'" in run("plan", "--tokens", "20", "--method", "x").stderr
