"""`attnscope methods`: what each method measures, its sign and its cost."""

import json as json_module
import sys

from rich.console import Console
from rich.table import Table

from attnscope.cli import options


def methods(
    json: options.Json = False,
    debug: options.Debug = False,  # noqa: ARG001 -- read by main, which reports errors
) -> None:
    """List the methods with sign, cost, unit and paper."""
    from attnscope.methods import METHODS, parameters_of

    if json:
        rows = [
            {
                "method": name,
                "score": method.score,
                "sign": method.sign,
                "cost": method.cost,
                "paper": method.paper,
                "parameters": parameters_of(name),
            }
            for name, method in METHODS.items()
        ]
        sys.stdout.write(json_module.dumps(rows, ensure_ascii=False) + "\n")
        return
    table = Table("method", "sign", "cost", "what a score is", "paper", box=None)
    for name, method in METHODS.items():
        table.add_row(name, method.sign, method.cost, method.score, method.paper)
    Console().print(table)
