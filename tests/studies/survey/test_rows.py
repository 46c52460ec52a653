"""A row of any kind of data is a text with what belongs to it, or says what is wrong with it."""

import numpy as np
import pytest

from attnscope.errors import InputError
from attnscope.studies.survey.rows import Columns, Row, row_of


def test_every_column_has_its_place() -> None:
    given = {"body": "a b", "text_pair": "c", "target": 1, "gold": 0, "id": 7, "rationale": "[[0, 1]]", "stars": 5}
    row = row_of(given, 3, Columns(text="body", keep=("stars",)))
    assert row == Row(3, "a b", "c", 1, "0", "7", ((0, 1),), {"stars": 5})


def test_a_text_and_a_chat_alone() -> None:
    assert row_of("a b", 0, Columns()).text == "a b"
    chat = [{"role": "user", "content": "Hi"}]
    assert row_of(chat, 0, Columns()).text == chat
    table = {"messages": [{"role": "user", "content": "Hi", "tool_calls": None}]}
    assert row_of(table, 0, Columns()).text == chat
    assert row_of({"review": "a b"}, 0, Columns()).text == "a b", "a single column needs no name"


def test_ids_are_hashes_of_the_text_by_default() -> None:
    one, other, again = (row_of(text, number, Columns()) for number, text in enumerate(["a", "b", "a"]))
    assert one.id == again.id != other.id
    assert len(one.id) == 16


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (None, "there is no text"),
        ({"text": None}, "there is no text"),
        ({"text": float("nan")}, "there is no text"),
        ({"text": 5}, "of type int"),
        ({"text": "a", "rationale": "x"}, "rationale"),
        ({"body": "a", "other": 1}, "no column 'text'"),
        (InputError("line 3 is not JSON"), "line 3 is not JSON"),
    ],
)
def test_what_is_wrong_with_one_row_is_its_error(given: object, error: str) -> None:
    row = row_of(given, 5, Columns())
    assert row.error is not None
    assert error in row.error


def test_a_column_that_the_data_does_not_have_is_refused() -> None:
    with pytest.raises(InputError, match="'body'; there is 'text'"):
        row_of({"text": "a"}, 0, Columns(text="body"))
    with pytest.raises(InputError, match="no column 'text'"):
        row_of({"a": "x", "b": "y"}, 0, Columns())
    assert row_of({"text": "a"}, 1, Columns(text="body")).error


def test_numbers_of_numpy_are_numbers() -> None:
    assert row_of({"text": "a", "target": np.int64(1)}, 0, Columns()).target == 1
    assert row_of({"text": "a", "target": np.float64("nan")}, 0, Columns()).target is None


def test_the_content_changes_with_everything_that_tables_depend_on() -> None:
    rows = [
        Row(0, "a"), Row(0, "b"), Row(0, "a", pair="b"), Row(0, "a", target=1), Row(0, "a", target="1"),
        Row(0, "a", gold="1"), Row(0, "a", id="x"), Row(0, "a", kept={"stars": 1}), Row(0, "a", error="no"),
        Row(0, "a", rationale=((0, 1),)),
    ]  # fmt: skip
    assert len({row.content for row in rows}) == len(rows)


def test_a_whole_number_in_a_column_with_gaps_is_a_whole_number() -> None:
    """pandas writes 1 as 1.0 where another row has none."""
    row = row_of({"text": "a", "gold": 1.0, "target": 0.0, "id": 7.0}, 0, Columns())
    assert (row.gold, row.target, row.id) == ("1", 0, "7")
    assert isinstance(row.target, int)
    assert row_of({"text": "a", "gold": 0.5}, 0, Columns()).gold == "0.5"
