"""The tree of errors: as its module draws it, and what a caller may catch."""

import inspect
import re

import pytest

import attnscope as ats
from attnscope import errors

CLASSES = {name: each for name, each in vars(errors).items() if inspect.isclass(each) and not issubclass(each, Warning)}


def test_the_tree_that_is_drawn_is_the_tree() -> None:
    parents: dict[int, str] = {}
    drawn: dict[str, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"(    [│├└─ ]*)(\w+Error)\b", line):
            depth = len(match[1]) // 4
            parents[depth] = match[2]
            if depth > 1:
                drawn[match[2]] = parents[depth - 1]
    assert drawn == {name: each.__bases__[0].__name__ for name, each in CLASSES.items() if name != "AttnscopeError"}


@pytest.mark.parametrize("name", CLASSES)
def test_each_says_when_it_is_raised(name: str) -> None:
    said, *_example = (CLASSES[name].__doc__ or "").split("\n\n")
    assert said.endswith(".")
    assert issubclass(CLASSES[name], errors.AttnscopeError)


def test_callers_may_catch_what_python_calls_it() -> None:
    for name, each in CLASSES.items():
        assert issubclass(each, ValueError) == issubclass(each, errors.InputError), name
        assert issubclass(each, RuntimeError) == issubclass(each, errors.FailureError), name


def test_the_public_ones_are_these() -> None:
    assert {name for name in ats.__all__ if name.endswith("Error")} <= set(CLASSES)
    for name in set(ats.__all__) & set(CLASSES):
        assert getattr(ats, name) is CLASSES[name]
