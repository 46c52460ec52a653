"""`attnscope.__all__` is what is public: lazily imported, typed, documented, and nothing else."""

import ast
import inspect
from pathlib import Path

import pytest

import attnscope as ats

SOURCE = ast.parse(Path(ats.__file__).read_text(encoding="utf-8"))


def _seen_by_type_checkers() -> dict[str, str]:
    """Public name → its module, from the block that only type checkers read."""
    block = next(
        node
        for node in SOURCE.body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    )
    names: dict[str, str] = {}
    for statement in block.body:
        assert isinstance(statement, ast.ImportFrom), ast.unparse(statement)
        for alias in statement.names:
            assert alias.asname == alias.name, f"not re-exported to type checkers: {ast.unparse(statement)}"
            names[alias.name] = str(statement.module)
    return names


def test_type_checkers_and_the_interpreter_see_the_same_names() -> None:
    typed, lazy = _seen_by_type_checkers(), dict(ats._HOMES)
    assert list(lazy) == ats.__all__
    assert typed.keys() == lazy.keys()
    for name, home in typed.items():
        # A module that is public itself is imported from its package.
        assert lazy[name] in (home, f"{home}.{name}"), name


@pytest.mark.parametrize("name", ats.__all__)
def test_every_public_name_resolves_and_says_what_it_is(name: str) -> None:
    value = getattr(ats, name)
    assert getattr(ats, name) is value
    if inspect.ismodule(value) or inspect.isclass(value) or inspect.isfunction(value):
        doc = value.__doc__
        # What dataclass makes up is a signature, no docstring.
        assert doc, f"{name} has no docstring"
        assert not doc.startswith(f"{name}("), f"{name} has no docstring"
    else:
        assert isinstance(value, dict), f"{name} is neither a class, function or module nor a table"
        assert value, f"the table {name} is empty"
        assert name == name.upper(), f"{name} is a table, so its name is in capitals"


def test_dir_names_what_is_public_and_nothing_else() -> None:
    assert {name for name in dir(ats) if not name.startswith("_")} == set(ats.__all__)
    assert "__version__" in dir(ats)
    assert ats.__version__


def test_star_import_brings_all_of_it() -> None:
    namespace: dict[str, object] = {}
    exec("from attnscope import *", namespace)
    assert namespace.keys() - {"__builtins__"} == set(ats.__all__)


def test_an_unknown_name_is_named() -> None:
    with pytest.raises(AttributeError, match="module 'attnscope' has no attribute 'atention'"):
        ats.atention  # noqa: B018
