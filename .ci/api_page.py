"""The site's API page: signatures and docstrings, as Markdown.

A docstring is read as it is written here: aligned lists ("name: what it is", continued further in), formulas further in
than the text around them, and examples after >>>, which tests/test_examples.py runs.
"""

import ast
import contextlib
import importlib
import inspect
import re
import textwrap
from itertools import pairwise
from typing import Any

import attnscope.errors
from attnscope.methods.table import METHODS

# Every public name, by what it is for, in the order of a first use.
GROUPS: dict[str, tuple[str, ...]] = {
    "Load a model": ("load", "Model"),
    "Explain a text": ("explain", "attention", "attention_maps", "similarity", "plan", "Plan"),
    "Compare, cite, evaluate": (
        "compare", "cite", "learn_heads", "agreement", "evaluate", "evaluate_citation", "Sample",
    ),
    "Take parts away": ("knock_out", "head_effects", "edge_effects", "head_profiles"),
    "Explain a corpus": ("survey",),
    "Draw, save, load": ("save", "load_result", "plot", "notebook_html", "live"),
    "Results": (
        "Attribution", "Word", "Token", "PerToken", "Results", "Failed", "AttentionMaps", "Similarity", "Comparison",
        "Comparisons", "Citation", "HeadWeights", "Agreement", "Evaluation", "Effect", "HeadEffects", "EdgeEffects",
        "HeadProfiles", "Survey",
    ),
    "Write a method": ("METHODS", "Method", "Task", "Scores", "METRICS"),
    "Errors": ("AttnscopeError", "AdviceWarning"),
}  # fmt: skip
# What users meet that is not in `attnscope.__all__`; what docstrings name comes after it.
BEHIND = (
    "attnscope.results.base.Result", "attnscope.results.files.references.References", "attnscope.render.render",
    "attnscope.errors",
)  # fmt: skip
HEAD = """# API

Every public name of `attnscope`, with its docstring. Before each example come `import attnscope as ats` and
`model = ats.load()`, the bundled model; a test runs all of them.
"""
_TERM = re.compile(r"[a-z]\w*(?:, [a-z]\w*)*:\s+(?=\S)")
_NAMED = re.compile(r"`(attnscope(?:\.\w+)+)`")
# What can only be the name of a class or table, wherever it stands.
_CLASS = re.compile(r"\b(?:Attribution|METHODS|METRICS|[A-Z][a-z]+[A-Z]\w+)\b")
_ERRORS = attnscope.errors
_WIDE = 100


def api() -> str:
    """The page. Raises KeyError where GROUPS are not `attnscope.__all__`."""
    listed = [name for names in GROUPS.values() for name in names]
    if wrong := set(listed) ^ set(attnscope.__all__):
        raise KeyError(f"in GROUPS or in attnscope.__all__, not in both: {', '.join(sorted(wrong))}")
    parts = [HEAD]
    for group, names in GROUPS.items():
        parts += [f"## {group}\n", *(_entry(name, getattr(attnscope, name)) for name in names)]
    parts.append("## Behind these\n")
    behind, done = list(BEHIND), set()
    while behind or (behind := sorted(_named("".join(parts)) - done)):
        path = behind.pop(0)
        done.add(path)
        parts.append(_entry(path, _found(path)))
    return _linked("\n".join(parts), {*listed, *done})


def _named(page: str) -> set[str]:
    """The dotted names on a page that have entries of their own neither here nor among the methods."""
    own = {f"attnscope.{name}" for name in attnscope.__all__}
    return {path for path in _NAMED.findall(page) if path not in own and _found(path) not in _METHODS}


def _found(path: str) -> Any:
    """What a dotted name names: something in a module, the function that a module is called by, or the module."""
    module, _, name = path.rpartition(".")
    with contextlib.suppress(ImportError):
        whole = importlib.import_module(path)
        return getattr(whole, name, whole)
    return getattr(importlib.import_module(module), name)


_METHODS = {row.run: name for name, row in METHODS.items()}


def _linked(page: str, entries: set[str]) -> str:
    """The page with a link from each name to its entry."""

    def link(match: re.Match[str]) -> str:
        name = match[1].removeprefix("attnscope.")
        if match[1] in entries or name in entries:
            return f"[{match[0]}](#{match[1] if match[1] in entries else name})"
        method = _METHODS.get(_found(match[1])) if match[1].startswith("attnscope.") else None
        return f"[{match[0]}](methods.md#{method})" if method else match[0]

    def plain(match: re.Match[str]) -> str:
        name = match[0]
        if name in entries:
            return f"[{name}](#{name})"
        return f"[{name}](#{_ERRORS.__name__})" if hasattr(_ERRORS, name) else name

    # Neither in code nor in headings nor in what is a link already.
    blocks = re.split(r"(^```.*?^```$|^#[^\n]*$|\[[^\]]*\]\([^)]*\)|`[^`]+`)", page, flags=re.MULTILINE | re.DOTALL)
    blocks[::2] = [_CLASS.sub(plain, block) for block in blocks[::2]]
    blocks[1::2] = [re.sub(r"^`([\w.]+)`$", link, block) for block in blocks[1::2]]
    return "".join(blocks)


def _entry(name: str, value: Any) -> str:
    parts = [f"### {name} {{ #{name} }}\n", *_described(name, value)]
    if inspect.isclass(value) and not issubclass(value, BaseException):
        for member, raw in sorted(vars(value).items()):
            if not member.startswith("_") and (callable(raw) or isinstance(raw, property | classmethod | staticmethod)):
                of = f"{name.rpartition('.')[2]}.{member}"
                parts += [f"#### {of} {{ #{name}.{member} }}\n", *_described(of, getattr(value, member), raw)]
    elif name == "plot":
        for member, function in inspect.getmembers(value, inspect.isfunction):
            if member in value.__all__:
                parts += [f"#### plot.{member} {{ #plot.{member} }}\n", *_described(f"plot.{member}", function)]
    return "\n".join(parts)


def _described(name: str, value: Any, raw: Any = None) -> list[str]:
    parts = []
    if isinstance(raw, property) or hasattr(raw, "func"):
        parts.append(f"```python\n{name}{_returned(raw)}\n```\n")
    elif callable(value) and not (inspect.isclass(value) and issubclass(value, BaseException | dict)):
        with contextlib.suppress(ValueError):
            parts.append(f"```python\n{signature(name.rpartition('.')[2] if raw is None else name, value)}\n```\n")
    written = inspect.getdoc(raw if raw is not None else value) if not isinstance(value, dict) else _beside(name)
    return [*parts, markdown(written)] if written else parts


def _beside(name: str) -> str:
    """What is written below a table, as below the head of a function."""
    module = importlib.import_module(attnscope._HOMES[name])
    body = ast.parse(inspect.getsource(module)).body
    for statement, after in pairwise(body):
        if isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target) == name:
            return inspect.cleandoc(ast.literal_eval(ast.unparse(after)))
    raise KeyError(name)


def _returned(raw: Any) -> str:
    function = raw.fget if isinstance(raw, property) else raw.func
    returned = inspect.signature(function).return_annotation
    return "" if returned is inspect.Signature.empty else f": {_short(inspect.formatannotation(returned))}"


def signature(name: str, value: Any) -> str:
    """As it is written in Python: on a line, or with a line for each parameter; types by their last name."""
    whole = inspect.signature(value)
    parameters = [p for p in whole.parameters.values() if p.name not in ("self", "cls")]
    lines = [_short(str(parameter)) for parameter in parameters]
    kinds = [parameter.kind for parameter in parameters]
    if inspect.Parameter.KEYWORD_ONLY in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        lines.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    returned = whole.return_annotation
    end = "" if returned in (inspect.Signature.empty, None) else f" -> {_short(inspect.formatannotation(returned))}"
    line = f"{name}({', '.join(lines)}){end}"
    return line if len(line) <= _WIDE else "\n".join((f"{name}(", *(f"    {one}," for one in lines), f"){end}"))


def _short(annotation: str) -> str:
    """Types without their modules; a default that is made anew as an ellipsis."""
    annotation = re.sub(r"\*<class '([\w.]+)'>", r"Unpack[\1]", annotation)
    annotation = re.sub(r"<factory>|<function .*? at 0x\w+>|<[^<>]*object at 0x\w+>", "...", annotation)
    return re.sub(r"\b(?:[A-Za-z_]\w*\.)+([A-Za-z_]\w*)", r"\1", annotation)


def markdown(written: str) -> str:
    """A docstring as Markdown."""
    blocks = [block for block in re.split(r"\n[ ]*\n", written) if block.strip()]
    return "\n\n".join(map(_block, blocks)) + "\n"


def _block(block: str) -> str:
    lines = block.splitlines()
    if lines[0].lstrip().startswith(">>>"):
        return f"```pycon\n{textwrap.dedent(block)}\n```"
    if all(line.startswith("    ") for line in lines):
        kind = "python" if "ats." in block else "text"
        return f"```{kind}\n{textwrap.dedent(block)}\n```"
    if _TERM.match(lines[0]) and all(_TERM.match(line) or line.startswith("  ") for line in lines):
        return "\n".join(map(_defined, _items(lines)))
    return _escaped(" ".join(line.strip() for line in lines))


def _items(lines: list[str]) -> list[str]:
    """Of an aligned list the items, each on one line; a second on the same line by itself."""
    items: list[str] = []
    for line in lines:
        if _TERM.match(line):
            items.append(line)
        else:
            items[-1] += f" {line.strip()}"
    return [part.rstrip(";") for item in items for part in re.split(rf"(?<=[.;]) (?={_TERM.pattern})", item)]


def _defined(item: str) -> str:
    match = _TERM.match(item)
    assert match is not None
    terms = ", ".join(f"`{term}`" for term in match[0].rstrip(": ").split(", "))
    return f"{terms}\n:   {_escaped(item[match.end() :])}\n"


def _escaped(text: str) -> str:
    """Without what Markdown would take for its own, but for code and words *between stars*; papers, pages as links."""
    parts = re.split(r"(`[^`]+`|\*\w[\w ]*\*)", text)
    return "".join(part if i % 2 else _plain(part) for i, part in enumerate(parts))


def _plain(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    text = re.sub(r"([\\*_\[\]])", r"\\\1", text)
    text = re.sub(r"arXiv:(\d{4}\.\d{5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", text)
    return re.sub(r"docs/(\w+\.md)", r"[\1](\1)", text)
