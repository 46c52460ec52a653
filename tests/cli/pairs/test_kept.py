"""Pairs that are kept until a report is whole."""

from pathlib import Path

import pytest

from attnscope.cli.pairs.kept import kept_beside


def test_what_was_kept_for_another_request_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "out.json.part").write_text("not JSON\n[1]\n{}\n")
    with kept_beside(tmp_path / "out.json", {"method": "deletion"}) as kept:
        assert kept.find({"clean": "a"}) is None
    assert not (tmp_path / "out.json.part").exists()


def test_what_is_kept_stays_where_the_block_fails(tmp_path: Path) -> None:
    part = tmp_path / "out.json.part"
    part.write_text("{}\n")
    with pytest.raises(KeyboardInterrupt), kept_beside(tmp_path / "out.json", {}):
        raise KeyboardInterrupt
    assert part.exists()


def test_nothing_is_kept_without_an_output() -> None:
    with kept_beside(None, {}) as kept:
        assert kept.find({"clean": "a"}) is None
