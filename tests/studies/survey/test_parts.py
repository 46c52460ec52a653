"""The same corpus is cut into the same parts, and shards share them without overlap."""

import pytest

from attnscope.errors import InputError
from attnscope.studies.survey.parts import CHARACTERS, Shard, number_of, parts_of
from attnscope.studies.survey.rows import Columns, row_of


def _rows(texts: list[str]) -> list:  # type: ignore[type-arg]
    return [row_of(text, number, Columns()) for number, text in enumerate(texts)]


def test_parts_hold_all_rows_in_their_order() -> None:
    parts = list(parts_of(_rows(list("abcdefg")), 3))
    assert [[row.text for row in part.rows] for part in parts] == [["a", "b", "c"], ["d", "e", "f"], ["g"]]
    assert [number_of(part.name) for part in parts] == [0, 1, 2]


def test_long_texts_make_smaller_parts() -> None:
    parts = list(parts_of(_rows(["x" * (CHARACTERS // 2)] * 4), 100))
    assert [len(part.rows) for part in parts] == [2, 2]


def test_a_name_is_of_the_content() -> None:
    def names(*texts: str) -> list[str]:
        return [part.name for part in parts_of(_rows(list(texts)), 2)]

    assert names("a", "b", "c") == names("a", "b", "c")
    assert names("a", "b", "c", "d")[0] == names("a", "b", "c")[0]
    assert names("a", "x", "c")[0] != names("a", "b", "c")[0]
    assert names("a", "x", "c")[1] == names("a", "b", "c")[1]


def test_shards_are_all_parts_once() -> None:
    shards = [Shard.read(f"{i}/3") for i in (1, 2, 3)]
    assert [[number for number in range(7) if shard.has(number)] for shard in shards] == [[0, 3, 6], [1, 4], [2, 5]]
    assert Shard.read(None).has(5)
    assert Shard.read((2, 3)) == shards[1]


@pytest.mark.parametrize("given", ["0/3", "4/3", "3", "a/b", "1/0", (1, 2, 3)])
def test_a_shard_that_is_none_is_refused(given: object) -> None:
    with pytest.raises(InputError, match="3/16"):
        Shard.read(given)  # type: ignore[arg-type]
