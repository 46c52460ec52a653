"""The sentences that errors, advice and log lines can be, read from the source: whole, with the places of their values.

A sentence is often put together from pieces: a hint that may be missing, one of two reasons. Where the pieces stand
in the same module, in a variable, a constant or a function's returns, every whole sentence is listed, so that it is
translated as one. What comes from elsewhere is a value; if it is a sentence again, its name says so (`translation.py`).
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
# The pieces of a sentence: texts, and values by their names and what they are in the source.
Field = tuple[str, str]
Pieces = tuple[str | Field, ...]

# A piece of English, unlike the name of an option or what joins a list.
_PROSE = re.compile(r"[a-z]{2,} |[a-z] [a-z]| [a-z]{2,}|[A-Za-z]{3,}:|^none$")
_PERCENT = re.compile(r"%[.\d]*[sdgr]")
_SHOWN = frozenset({"_fail", "warn", "_warn"})
# Calls in which the sentence, or what is being done, may be any of what is handed over.
_SHOWN_ANYWHERE = frozenset({"_say", "bar", "progress"})
_LOGGED = frozenset({"info", "warning"})
# A function is looked into where another calls it, and where a variable is, so deep.
_DEEPEST = 4
# Functions and tables of sentences that are shown elsewhere.
_RETURNED = {
    "methods/calls/advice.py": ("_file", "_special_tokens", "_target", "_noise"),
    "methods/plan.py": ("__str__",),
    "models/attention/layer_numbers.py": ("_KINDS", "_kind"),
    "models/progress.py": ("__str__",),
    "models/targets/pooling.py": ("NAMES",),
    "results/collection.py": ("__str__",),
    "serve/guard.py": ("_refused",),
    "serve/questions.py": ("_MEANS",),
    "studies/survey/rows.py": ("row_of", "_lacks"),
    "studies/survey/request.py": ("differences",),
}


def sentences_in(package: Path) -> Iterator[str]:
    """Every sentence of an error, of advice and of the log in these files."""
    for module in modules_of(package):
        yield from module.sentences()


@cache
def modules_of(package: Path) -> list["Module"]:
    """The files of a package, ready to be asked what is said in them."""
    trees = trees_of(package)
    errors = {
        node.name
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Error", "Warning"))
    }
    places = [path.relative_to(package).as_posix() for path in trees]
    # A ValueError is for programmers, but what reading a file raises is told as what is wrong with it.
    named = [errors | ({"ValueError"} if place.startswith("results/") else set()) for place in places]
    returned = [_RETURNED.get(place, ()) for place in places]
    return [Module(*of) for of in zip(trees.values(), named, returned, strict=True)]


@cache
def trees_of(package: Path) -> dict[Path, ast.Module]:
    """The files of a package, parsed."""
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted(package.rglob("*.py"))}


class Module:
    """A file, and what it says."""

    def __init__(self, tree: ast.Module, errors: set[str], returned: tuple[str, ...]) -> None:
        self.tree, self.errors, self.returned = tree, errors, returned
        self.functions = {n.name: n for n in ast.walk(tree) if isinstance(n, Function)}
        self.constants = {
            name_of(node.targets[0]): node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.JoinedStr)
        }
        self.imported = {one.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for one in n.names}

    def said(self) -> Iterator[tuple[ast.expr, Function | None]]:
        """What is said in errors and advice, and the function in which it is."""
        for function, node in self.within(self.tree, None):
            inside = function is not None and function.name in self.returned
            if isinstance(node, ast.Call) and node.args:
                name = name_of(node.func)
                # `type(error)(…)` says more of an error of the same class.
                again = isinstance(node.func, ast.Call) and name_of(node.func.func) == "type"
                if name in self.errors | _SHOWN or again or (inside and name == "append"):
                    yield node.args[0], function
            elif inside and isinstance(node, ast.keyword | ast.Return) and getattr(node, "arg", "error") == "error":
                yield node.value or ast.Constant(None), function

    def sentences(self) -> Iterator[str]:
        """Every sentence, whole."""
        for said, function in self.said():
            yield from self._said(said, function)
        for function, node in self.within(self.tree, None):
            if isinstance(node, ast.Call) and node.args:
                name = name_of(node.func)
                if name in _LOGGED and isinstance(node.func, ast.Attribute) and "log" in name_of(node.func.value):
                    yield from self._logged(node, function)
                elif name in _SHOWN_ANYWHERE and isinstance(node.func, ast.Name):
                    for each in node.args:
                        yield from filter(re.compile("[a-z]{3}").search, self._said(each, function))
            elif isinstance(node, ast.Assign | ast.AnnAssign) and name_of(_target(node)) in self.returned:
                yield from self._in_table(node.value)

    def _in_table(self, node: ast.expr | None) -> Iterator[str]:
        for value in node.values if isinstance(node, ast.Dict) else ():
            yield from self._said(value, None)

    def within(self, node: ast.AST, function: Function | None) -> Iterator[tuple[Function | None, ast.AST]]:
        """What is inside of this, and the function in which each is."""
        for child in ast.iter_child_nodes(node):
            yield function, child
            yield from self.within(child, child if isinstance(child, Function) else function)

    def _said(self, node: ast.expr | None, function: Function | None) -> Iterator[str]:
        for pieces in self.resolved(node, function, 0):
            if any(isinstance(piece, str) and piece.strip() for piece in pieces):
                yield message_of(pieces)

    def _logged(self, call: ast.Call, function: Function | None) -> Iterator[str]:
        """A line of the log, whose values come after it."""
        for sentence in self._said(call.args[0], function):
            texts = _PERCENT.split(sentence)
            values = [(name_of(value), ast.dump(value)) for value in call.args[1:]]
            if any(text.strip() for text in texts) and len(texts) == len(values) + 1:
                pieces = [piece for both in zip(texts, [*values, ""], strict=True) for piece in both]
                yield message_of(tuple(pieces))

    def resolved(self, node: ast.expr | None, function: Function | None, depth: int) -> list[Pieces]:
        """What an expression can be: each way as its pieces."""
        if isinstance(node, ast.Constant):
            return [(node.value,)] if isinstance(node.value, str) else []
        if isinstance(node, ast.JoinedStr):
            return _joined([self._part(part, function, depth) for part in node.values])
        if isinstance(node, ast.IfExp):
            return [*self.resolved(node.body, function, depth), *self.resolved(node.orelse, function, depth)]
        if isinstance(node, ast.Tuple):
            return [way for value in node.elts for way in self.resolved(value, function, depth)]
        if isinstance(node, ast.BoolOp):
            return [way for value in node.values for way in self.resolved(value, function, depth)]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return _joined([self.resolved(node.left, function, depth), self.resolved(node.right, function, depth)])
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            return [*self.resolved(node.left, function, depth), ("",)]
        if isinstance(node, ast.Name):
            return self._of_name(node, function, depth)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self.functions:
            return self._of_call(node, depth)
        if isinstance(node, ast.Call) and name_of(node.func) == "str" and node.args:
            return self.resolved(node.args[0], function, depth)
        return [] if node is None else [(_field(node),)]

    def _part(self, part: ast.expr, function: Function | None, depth: int) -> list[Pieces]:
        """A place in an f-string: the pieces that stand there, if they are English, else a value."""
        if isinstance(part, ast.Constant):
            return [(str(part.value),)]
        assert isinstance(part, ast.FormattedValue)
        as_it_is = part.conversion in (-1, ord("s")) and part.format_spec is None
        ways = self.resolved(part.value, function, depth) if as_it_is else []
        english = any(isinstance(piece, str) and _PROSE.search(piece) for way in ways for piece in way)
        return ways if english else [((name_of(part.value), ast.dump(part)),)]

    def _of_name(self, node: ast.Name, function: Function | None, depth: int) -> list[Pieces]:
        own: list[Pieces] = [(_field(node),)]
        if depth >= _DEEPEST:
            return own
        ways: list[Pieces] = []
        for child in ast.walk(function) if function is not None else ():
            if isinstance(child, ast.Assign) and any(name_of(one) == node.id for one in child.targets):
                ways += self.resolved(child.value, function, depth + 1)
            elif isinstance(child, ast.AugAssign) and name_of(child.target) == node.id:
                ways += _joined([list(ways), self.resolved(child.value, function, depth + 1)])
        if not ways and node.id in self.constants:
            return self.resolved(self.constants[node.id], None, depth + 1)
        # What is no text has the variable's own name.
        return list(dict.fromkeys(way if any(isinstance(p, str) for p in way) else own[0] for way in ways)) or own

    def _of_call(self, node: ast.Call, depth: int) -> list[Pieces]:
        called = self.functions[name_of(node.func)]
        if depth >= _DEEPEST:
            return [(("", name_of(node.func)),)]
        return [
            way
            for child in ast.walk(called)
            if isinstance(child, ast.Return)
            for way in self.resolved(child.value, called, depth + 1)
        ]


def _target(node: ast.Assign | ast.AnnAssign) -> ast.expr:
    return node.targets[0] if isinstance(node, ast.Assign) else node.target


def _field(node: ast.expr) -> Field:
    return name_of(node), ast.dump(node)


def _joined(parts: list[list[Pieces]]) -> list[Pieces]:
    """Every way of the first part with every way of the next, and so on."""
    return [tuple(piece for way in ways for piece in way) for ways in product(*parts)]


def message_of(pieces: Pieces) -> str:
    """The pieces as a message: where it has values, their names, or their places, in braces."""
    parts: list[str] = []
    names: dict[str, str] = {}
    for piece in pieces:
        if isinstance(piece, str):
            parts.append(piece.replace("{", "{{").replace("}", "}}"))
        else:
            name, source = piece
            if not name or names.get(name, source) != source:
                name = f"v{len(names) + 1}"
            names[name] = source
            parts.append(f"{{{name}}}")
    return "".join(parts) if names else "".join(parts).replace("{{", "{").replace("}}", "}")


def name_of(node: object) -> str:
    """The last name of an expression; "" where it has none."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
