"""`attnscope methods`: what each method measures, its sign and its cost."""

import inspect
import json as json_module
import sys
from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from attnscope.cli import options
from attnscope.errors import InputError

_HEAD = """# Methods

What each score is, its sign, cost, paper and formula, written by `attnscope methods --markdown` from the table METHODS
(`methods/table.py`) and the docstrings; each docstring also says what the parameters are and when the method misleads.
F is the target. All take {common};
methods of attention also {attention}.
"""


def methods(
    family: Annotated[
        Literal["attention", "flow", "gradient", "perturbation", "baseline"] | None, typer.Option(help="Only these.")
    ] = None,
    json: options.Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print docs/methods.md.")] = False,
    debug: options.Debug = False,  # noqa: ARG001 -- read by main, which reports errors
) -> None:
    """List the methods: what each score means, its sign, cost and paper."""
    from attnscope.methods.request import SHARED
    from attnscope.methods.table import METHODS, OF_ATTENTION

    chosen = {name: row for name, row in METHODS.items() if family in (None, row.family)}
    if not chosen:
        known = ", ".join(dict.fromkeys(row.family for row in METHODS.values()))
        raise InputError(f"there is no family {family!r}; choose from {known}")
    if json:
        rows = [
            {
                "method": name,
                "family": method.family,
                "score": method.unit,
                "sign": method.sign,
                "cost": method.cost_in_words,
                "paper": method.paper,
                "parameters": [*method.options, *method.shared_options],
            }
            for name, method in chosen.items()
        ]
        sys.stdout.write(json_module.dumps(rows, ensure_ascii=False) + "\n")
        return
    if markdown:
        common = [name for name in SHARED if name not in OF_ATTENTION]
        sys.stdout.write(_HEAD.format(common=_list(common), attention=_list(OF_ATTENTION)))
        for name, method in METHODS.items():
            own = list(method.options)
            said = [_sentence(method.unit), _sentence(method.sign), f"Cost: {method.cost_in_words}."]
            said += [f"{method.paper}."] if method.paper else []
            said += [f"Parameters: {_list(own)}."] if own else []
            sys.stdout.write(f"\n## {name}\n\n{' '.join(said)}\n\n{_formula(method.run)}\n")
        return
    console = Console()
    for name, method in chosen.items():
        # One below the other: a name that has to be typed is never cut, however narrow the terminal.
        console.print(Text(name, "bold"))
        about = " · ".join(part for part in (method.sign, method.cost_in_words, method.paper) if part)
        console.print(Padding(Text(f"{_sentence(method.unit)} {about}"), (0, 0, 0, 2)))


def _formula(run: Callable[..., Any]) -> str:
    """The paragraph of the docstring that has the formula, with what is set off below it."""
    _, formula, *rest = (inspect.getdoc(run) or "").split("\n\n")
    return "\n\n".join((formula, *takewhile(lambda paragraph: paragraph.startswith("    "), rest)))


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _sentence(part: str) -> str:
    return f"{part[0].upper()}{part[1:]}."
