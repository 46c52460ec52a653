"""The rows file: rows are there as soon as they are added, and half a line of a broken run does no harm."""

from pathlib import Path

import pytest

from attnscope.errors import DamagedFileError, InputError
from attnscope.results.evaluation import Evaluation, EvaluationRow
from attnscope.studies.evaluation_rows import resumed_rows

SETTINGS = {"metrics": {}, "shares": (0.0, 1.0), "replacement": "delete"}


def row(key: str) -> EvaluationRow:
    return EvaluationRow(key, 0, "random", {"m": 0.5}, {}, ("\ud83d",), (1.0,), None, "y", None, 0.5, True, 0.1)


def test_without_a_path_nothing_is_kept() -> None:
    with resumed_rows(None, SETTINGS) as (earlier, add):
        assert earlier == Evaluation(SETTINGS)
        add(row("a"))


def test_rows_are_on_disk_as_soon_as_they_are_added(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with resumed_rows(path, SETTINGS) as (earlier, add):
        assert earlier.rows == ()
        add(row("a"))
        assert [r.key for r in Evaluation.load(path).rows] == ["a"]
        add(row("b"))
    with resumed_rows(str(path), SETTINGS) as (earlier, _add):
        assert [r.key for r in earlier.rows] == ["a", "b"]


def test_an_error_between_rows_keeps_those_before_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"

    def stopped() -> None:
        with resumed_rows(path, SETTINGS) as (_earlier, add):
            add(row("a"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert len(Evaluation.load(path).rows) == 1


def test_half_a_line_is_dropped_and_the_next_row_begins_on_its_own(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with resumed_rows(path, SETTINGS) as (_earlier, add):
        add(row("a"))
        add(row("b"))
    path.write_text(path.read_text()[:-40])
    with resumed_rows(path, SETTINGS) as (earlier, add):
        assert [r.key for r in earlier.rows] == ["a"]
        add(row("c"))
    assert [r.key for r in Evaluation.load(path).rows] == ["a", "c"]


def test_an_empty_file_is_a_beginning(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.touch()
    with resumed_rows(path, SETTINGS) as (earlier, add):
        assert earlier.rows == ()
        add(row("a"))
    assert len(Evaluation.load(path).rows) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"replacement": "pad"}, "its replacement is 'delete', now 'pad'"),
        ({"chat": True}, "its chat is None, now True"),
        ({"shares": (0.0,)}, r"its shares is \[0.0, 1.0\], now \[0.0\]"),
    ],
)
def test_rows_of_another_evaluation_are_refused_and_stay(tmp_path: Path, change: dict, message: str) -> None:  # type: ignore[type-arg]
    path = tmp_path / "rows.jsonl"
    with resumed_rows(path, SETTINGS) as (_earlier, add):
        add(row("a"))
    before = path.read_bytes()
    with pytest.raises(InputError, match=message), resumed_rows(path, SETTINGS | change):
        pass
    assert path.read_bytes() == before


def test_a_file_of_something_else_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\n")
    with pytest.raises(DamagedFileError), resumed_rows(path, SETTINGS):
        pass
    assert path.read_text() == "my notes\n"
