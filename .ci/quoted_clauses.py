"""English that one function hands to another, which has it in the sentence of an error.

There it is a value, so it has to be a message of its own (`messages.py` lists it), and the value's name has to say that
it is one (`translation.QUOTED`): else a Japanese sentence would have English in it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from error_sentences import Function, Module, message_of, modules_of, name_of

# Some English: more than a word, which may be a name.
_CLAUSE = re.compile(r"[a-z] [a-z]")
# A value is handed on so often.
_DEEPEST = 3


def clauses_in(package: Path) -> Iterator[tuple[str, str]]:
    """The names of the values in errors, and each clause that is handed over for them."""
    return _Package(package).clauses()


class _Package:
    def __init__(self, package: Path) -> None:
        self.modules = modules_of(package)
        self.calls: dict[str, list[tuple[Module, Function | None, ast.Call]]] = {}
        for module in self.modules:
            for function, node in module.within(module.tree, None):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                    self.calls.setdefault(name_of(node.func), []).append((module, function, node))

    def clauses(self) -> Iterator[tuple[str, str]]:
        for module in self.modules:
            for said, function in module.said():
                for place in ast.walk(said):
                    if isinstance(place, ast.FormattedValue) and isinstance(place.value, ast.Name):
                        for clause in self._handed_over(place.value, module, function, 0):
                            yield place.value.id, clause

    def _handed_over(self, value: ast.Name, module: Module, function: Function | None, depth: int) -> Iterator[str]:
        """What callers of the function give for a parameter of it."""
        if function is None or depth > _DEEPEST:
            return
        positional = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        if value.id not in (*positional, *(one.arg for one in function.args.kwonlyargs)):
            return
        for caller, within, call in self.calls.get(function.name, ()):
            if not _is_of(call, function, module, caller):
                continue
            given = {one.arg: one.value for one in call.keywords}
            own = positional[1:] if positional[:1] in (["self"], ["cls"]) else positional
            given |= dict(zip(own, call.args, strict=False))
            if (argument := given.get(value.id)) is None:
                continue
            for pieces in caller.resolved(argument, within, 0):
                if any(isinstance(piece, str) and _CLAUSE.search(piece) for piece in pieces):
                    yield message_of(pieces)
            if isinstance(argument, ast.Name):
                yield from self._handed_over(argument, caller, within, depth + 1)


def _is_of(call: ast.Call, function: Function, module: Module, caller: Module) -> bool:
    """Whether it is this function that is called, and not one of its name elsewhere."""
    if caller is module:
        return True
    return isinstance(call.func, ast.Name) and function.name in caller.imported and function in module.tree.body
