"""`attnscope maps`: the attention of every layer and head."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

import attnscope
from attnscope.cli import options
from attnscope.errors import InputError
from attnscope.maps import AttentionMaps
from attnscope.render import save

_Indices = Annotated[str | None, typer.Option(help="Indices and ranges, such as 0,3,5-8. Default: all.")]


def maps(
    text: options.Text = None,
    file: options.File = None,
    model: options.ModelName = None,
    layers: _Indices = None,
    heads: _Indices = None,
    queries: _Indices = None,
    keys: _Indices = None,
    kind: Annotated[
        str | None, typer.Option(help="Of an encoder–decoder: encoder, decoder or cross. Default: encoder.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="A text that follows, or that the decoder reads.")] = None,
    generate: Annotated[
        int | None, typer.Option(min=1, help="Let the model continue by at most so many tokens, and show these too.")
    ] = None,
    statistics_only: Annotated[bool, typer.Option("--statistics-only", help="Keep no maps: for long texts.")] = False,
    top: Annotated[int, typer.Option(min=0, help="How many of a query's largest keys to keep.")] = 32,
    words: Annotated[bool, typer.Option("--words", help="Words for tokens: sum over keys, mean over queries.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write .safetensors, .png, .svg, .pdf or .json. Default: print a table."),
    ] = None,
    json: options.Json = False,
    chat: options.Chat = False,
    truncate: options.Truncate = False,
    font: options.Font = None,
    dark: options.Dark = False,
    dtype: options.Dtype = None,
    device: options.Device = None,
    revision: options.Revision = None,
    trust_remote_code: options.RemoteCode = False,
    debug: options.Debug = False,  # noqa: ARG001 -- read by main, which reports errors
) -> None:
    """Keep the attention of chosen layers, heads, queries and keys, with statistics of every head.

    A figure of one head is a heat map, of several a grid, of statistics alone a table of colours.

        attnscope maps "The castle on the hill was old." --layers 0,12-15 -o castle.png
    """
    options.check_output(output, AttentionMaps)
    given = options.read_text(text, file)
    loaded = attnscope.load(
        model, device_map=device, dtype=dtype, revision=revision, trust_remote_code=trust_remote_code
    )
    result: AttentionMaps = attnscope.attention_maps(
        loaded,
        given,
        layers=_indices("--layers", layers),
        heads=_indices("--heads", heads),
        queries=_indices("--queries", queries),
        keys=_indices("--keys", keys),
        maps=not statistics_only,
        top=top,
        kind=kind,
        target=target,
        generate=generate,
        chat=chat,
        truncate=truncate,
    )
    if words:
        result = result.words()
    if output is not None:
        drawn = output.suffix.lower() in (".png", ".svg", ".pdf")
        given_options = {"dark": dark or None, "font": font} if drawn else {}
        path = save(result, output, **{name: value for name, value in given_options.items() if value is not None})
        sys.stderr.write(f"attnscope: wrote {path}\n")
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
