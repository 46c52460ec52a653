"""`attnscope methods`."""

import json
from pathlib import Path

from command_line import run

import attnscope as ats


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
