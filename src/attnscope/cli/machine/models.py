"""`attnscope models`: which models are on this machine, and how large they are."""

import json as json_module
import sys
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from attnscope.cli import options


def models(
    json: options.Json = False,
    debug: options.Debug = False,  # noqa: ARG001 -- read by main, which reports errors
) -> None:
    """List the models on this machine and the disk space they take.

    The bundled model lives in attnscope's cache folder (ATTNSCOPE_CACHE moves it); a folder can be deleted
    safely, and is fetched again when needed. Hub models live in the hub's own cache.
    """
    from attnscope.models.loading.bundled import FETCHED, FOLDER, KEPT, NAME, cache, cached

    found = cached()
    if json:
        rows = [{key: value if key == "bytes" else str(value) for key, value in asdict(m).items()} for m in found]
        sys.stdout.write(json_module.dumps(rows, ensure_ascii=False) + "\n")
        return
    table = Table("model", "size", "folder", box=None)
    for model in found:
        table.add_row(model.name, f"{model.bytes / 1e6:,.0f} MB", str(model.folder))
    console = Console()
    console.print(table)
    if all(model.name != FOLDER for model in found):
        console.print(f"{NAME} is not here yet: the first run fetches {FETCHED} and keeps {KEPT} in {cache()}")
