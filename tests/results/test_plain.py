"""Numbers of numpy and torch as Python's own."""

import numpy as np
import torch

from attnscope.results.plain import plain_lists, plain_numbers


def test_numbers_become_pythons_wherever_they_stand() -> None:
    given = {"a": np.int64(1), "b": [torch.tensor(2), (np.float32(0.5), "x", None, True)], "c": np.bool_(False)}
    found = plain_numbers(given)
    assert found == {"a": 1, "b": [2, (0.5, "x", None, True)], "c": False}
    assert [type(found["a"]), type(found["b"][0]), type(found["c"])] == [int, int, bool]


def test_an_array_stays_or_becomes_a_list() -> None:
    array = np.array([1, 2])
    assert plain_numbers(array) is array
    assert plain_lists(array) == plain_lists(torch.tensor([1, 2])) == [1, 2]
    assert type(plain_lists(array)[0]) is int
    assert plain_lists((np.int64(1), 2)) == (1, 2)
