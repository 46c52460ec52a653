"""`attnscope agreement`: do several saved results agree about one text?"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from attnscope.cli import options
from attnscope.errors import InputError
from attnscope.results.agreement import Agreement
from attnscope.results.agreement import agreement as compared
from attnscope.results.attribution import Attribution


def agreement(
    saved: Annotated[
        list[Path],
        typer.Argument(help="Two or more saved .json results for the same text and words.", show_default=False),
    ],
    top: Annotated[int | None, typer.Option(help="How many top words to compare. Default: a quarter of them.")] = None,
    by: Annotated[Literal["magnitude", "score"], typer.Option(help="What words are ranked by.")] = "magnitude",
    output: Annotated[Path | None, typer.Option("--output", "-o", help=options.formats(Agreement))] = None,
    json: options.Json = False,
    debug: options.Debug = False,  # noqa: ARG001 -- read by main, which reports errors
    *,
    look: options.Look,
) -> None:
    """Compare saved results: rank correlations, shared top words and, with -o, heat maps one above the other.

    attnscope agreement gradient.json deletion.json gim.json -o agreement.html
    """
    options.check_output(output, Agreement)
    results = []
    for path in saved:
        try:
            results.append(Attribution.load(path))
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from error
    options.show(compared(results, top=top, by=by), output, json, look)
