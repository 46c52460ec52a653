"""`attnscope maps`: the attention of every layer and head."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

import attnscope
from attnscope.cli import options
from attnscope.errors import InputError
from attnscope.results.attention_maps import AttentionMaps

_Indices = Annotated[str | None, typer.Option(help="Indices and ranges, such as 0,3,5-8. Default: all.")]


def maps(
    source: options.Source,
    layers: _Indices = None,
    heads: _Indices = None,
    queries: _Indices = None,
    keys: _Indices = None,
    stack: Annotated[
        Literal["encoder", "decoder", "cross"] | None,
        typer.Option(help="Which attention of an encoder–decoder. Default: encoder."),
    ] = None,
    target: Annotated[str | None, typer.Option(help="A continuation, or the text that the decoder reads.")] = None,
    generate: Annotated[
        int | None, typer.Option(min=1, help="Let the model continue by up to N tokens, and show them too.")
    ] = None,
    statistics_only: Annotated[
        bool, typer.Option("--statistics-only", help="Keep statistics but no maps; for long texts.")
    ] = False,
    top: Annotated[int, typer.Option(min=0, help="How many of each query's strongest keys to keep.")] = 32,
    linear: options.Linear = False,
    words: Annotated[
        bool, typer.Option("--words", help="Words instead of tokens: sum over keys, mean over queries.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=options.formats(AttentionMaps)),
    ] = None,
    max_mb: Annotated[
        float, typer.Option("--max-mb", min=0.1, help="Size limit of an .html; above it, maps get coarser, then fewer.")
    ] = 64,
    quality: Annotated[
        Literal["standard", "high"], typer.Option(help="Quality of an .html; high keeps small weights too.")
    ] = "standard",
    json: options.Json = False,
    *,
    look: options.Picture,
    loading: options.Loading,
) -> None:
    """Capture the attention of every layer and head, or of those you choose, with statistics for each head.

    An .html file is the explorer: every layer and head in one offline page. A figure shows one head as a heat map,
    several as a grid, and statistics alone as a table of colours.

        attnscope maps "The castle on the hill was old." -o castle.html
    """
    options.check_output(output, AttentionMaps)
    if source.window is not None:
        raise InputError("--window is not for maps, which show one pass over a text: leave it out, or use --truncate")
    given = source.read()
    result: AttentionMaps = attnscope.attention_maps(
        loading.load(),
        given,
        layers=_indices("--layers", layers),
        heads=_indices("--heads", heads),
        queries=_indices("--queries", queries),
        keys=_indices("--keys", keys),
        maps=not statistics_only,
        top=top,
        stack=stack,
        target=target,
        generate=generate,
        linear=linear or None,
        **source.reading(),
    )
    if words:
        result = result.words()
    if output is not None:
        suffix = output.suffix.lower()
        of_a_page = {"max_mb": max_mb, "quality": quality} if suffix == ".html" else {}
        options.write(result, output, of_a_page | look.given())
    if json:
        sys.stdout.write(result.to_json() + "\n")
    elif output is None:
        _print(result)


def _indices(option: str, given: str | None) -> list[int] | None:
    """ "0,3,5-8" -> [0, 3, 5, 6, 7, 8]; a leading minus counts from the end."""
    if given is None:
        return None
    chosen: list[int] = []
    for part in given.split(","):
        first, dash, last = part[1:].partition("-")
        try:
            start = int(part[:1] + first)
            chosen += range(start, int(last) + 1) if dash else [start]
        except ValueError as error:
            raise InputError(f"{option} {given!r}: expected indices and ranges, such as 0,3,5-8") from error
    return chosen


def _print(result: AttentionMaps) -> None:
    columns = result.columns()
    console = Console()
    if not console.is_terminal:
        rows = [columns, *zip(*columns.values(), strict=True)]
        sys.stdout.write("".join("\t".join(_number(value) for value in row) + "\n" for row in rows))
        return
    table = Table(*columns, box=None)
    for row in zip(*columns.values(), strict=True):
        table.add_row(*(_number(value) for value in row))
    console.print(table)


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) or hasattr(value, "dtype") else str(value)
