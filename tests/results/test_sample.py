"""A sample: how it is read, and what it is known by."""

from dataclasses import replace

import pytest

from attnscope.errors import InputError
from attnscope.results.sample import Sample


def test_a_sample_is_known_by_what_it_asks() -> None:
    one = Sample.of({"text": "a b", "labels": ["x", "y"], "within": [0, 3], "human": [[0, 1, 1]]}, "line 1")
    assert one == Sample("a b", labels=("x", "y"), within=(0, 3), human=((0, 1, 1.0),))
    assert one.key == replace(one).key != replace(one, target="x").key
    assert Sample.of("a b", "line 1") == Sample("a b")
    for given, says in (
        ({}, "line 1 is not a sample"),
        ({"text": "a", "titel": 1}, "line 1 has 'titel'"),
        ({"text": "a", "within": [1]}, r"within is \[start, end\]"),
    ):
        with pytest.raises(InputError, match=says):
            Sample.of(given, "line 1")
