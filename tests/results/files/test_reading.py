"""Checked reading: what is not as the schema says is named."""

import math
from pathlib import Path
from types import NoneType
from typing import Any

import pytest

from attnscope.errors import DamagedFileError, InputError
from attnscope.results.base import Asked, Measured
from attnscope.results.files.reading import (
    NUMBER,
    checked,
    checked_items,
    checked_tuple,
    damage,
    encoded,
    first_value,
    is_a,
    parsed,
    part,
    shallow,
    text_of,
)


@pytest.mark.parametrize(
    ("value", "kinds", "expected"),
    [
        (1, NUMBER, True), (1.5, NUMBER, True), (True, NUMBER, False), (True, (bool,), True), (1, (bool,), False),
        (math.nan, NUMBER, False), (math.inf, NUMBER, False), (10**400, NUMBER, False), (None, (str, NoneType), True),
        (None, (str,), False), ("1", NUMBER, False),
    ],
)  # fmt: skip
def test_types_are_those_of_json(value: Any, kinds: tuple[type, ...], expected: bool) -> None:
    assert is_a(value, kinds) is expected


def test_a_field_that_may_be_null_may_be_missing() -> None:
    fields = {"a": (str,), "b": (int, NoneType)}
    assert checked({"a": "x", "more": 1}, fields, "it") == {"a": "x", "b": None}
    for data, says in (
        ([], "it is not an object"),
        ({}, "it: 'a' is missing or not str"),
        ({"a": "x", "b": "y"}, "it: 'b' is missing or not int or null"),
    ):
        with pytest.raises(ValueError, match=says):
            checked(data, fields, "it")
    with pytest.raises(ValueError, match="word 1: 'a'"):
        checked_items([{"a": "x"}, {}], fields, "word")


def test_arrays_say_what_they_hold() -> None:
    assert checked_tuple([1, 2], (int,), "a") == (1, 2)
    for items, says in (
        ("12", "a is not an array of int"),
        ([1, "2"], "not an array"),
        ([1], "a has 1 values, expected 2"),
    ):
        with pytest.raises(ValueError, match=says):
            checked_tuple(items, (int,), "a", 2)


def test_damage_names_the_file_and_the_part() -> None:
    for error, says in ((KeyError("text"), "'text' is missing"), (InputError("no words"), "no words")):
        with (
            pytest.raises(
                DamagedFileError, match=f"x.json is no result that can be read: in pair 3: {says}; save it again"
            ),
            damage("x.json"),
            part("pair 3"),
        ):
            raise error
    with pytest.raises(DamagedFileError, match=r"^as it is$"), damage("x.json"):
        raise DamagedFileError("as it is")
    with pytest.raises(ZeroDivisionError), damage("x.json"):
        raise ZeroDivisionError


def test_documents_are_read_to_their_end() -> None:
    assert parsed(' {"a": 1} ', "x") == {"a": 1}
    assert first_value('\n{"a": 1}\n{"b": 2}\n', "x") == ({"a": 1}, '\n{"b": 2}\n')
    for read in (parsed, first_value):
        for broken in ("", "{", "[" * 100_000):
            with pytest.raises(DamagedFileError, match="x is not JSON"):
                read(broken, "x")


def test_half_a_surrogate_pair_is_written_as_its_escape(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(encoded("a\ud800猫"))
    assert text_of(tmp_path / "x") == "a\\ud800猫"
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    with pytest.raises(DamagedFileError, match="x is not UTF-8 text"):
        text_of(tmp_path / "x")


def test_what_is_written_of_asked_and_measured_is_read() -> None:
    asked, measured = Asked(segments={"a": (0, 1)}, query="b"), Measured(query_tokens=(3,), coverage=(2, 3))
    assert Asked.read({**shallow(asked), "segments": {"a": [0, 1]}}) == asked
    lists = {"fixed": [], "shared_words": [], "windows": []}
    assert Measured.read({**shallow(measured), **lists, "query_tokens": [3], "coverage": [2, 3]}) == measured
    runs = Measured.read({**shallow(Measured()), **lists, "shared_words": [[1, 3]]})
    assert runs == Measured(shared_words=((1, 3),))
    for data, says in (({"segments": {"a": [1]}}, "segment 'a' has 1 values"), ({"query": 1.5}, "'query'")):
        with pytest.raises(ValueError, match=says):
            Asked.read({**shallow(asked), **data})
    with pytest.raises(ValueError, match="coverage has 1 values, expected 2"):
        Measured.read({**shallow(measured), **lists, "query_tokens": None, "coverage": [1]})
