"""`attnscope methods`."""

import json
from pathlib import Path

import pytest
from command_line import run

import attnscope as ats


def test_methods_lists_all_with_sign_and_cost() -> None:
    listed = json.loads(run("methods", "--json").stdout)
    assert [row["method"] for row in listed] == list(ats.METHODS)
    assert all(
        row["sign"] and row["cost"] and "target" in row["parameters"] for row in listed if row["method"] != "attention"
    )
    shown = run("methods").stdout.decode()
    assert set(ats.METHODS) <= set(shown.splitlines())
    page = Path(__file__).parents[2] / "docs/methods.md"
    written = run("methods", "--markdown").stdout.decode()
    assert written == page.read_text("utf-8"), "attnscope methods --markdown > docs/methods.md"


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_a_name_that_has_to_be_typed_is_never_cut(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = run("methods").stdout.decode().splitlines()
    assert set(ats.METHODS) <= {line.strip() for line in lines}
    assert max(map(len, lines)) <= int(columns)
