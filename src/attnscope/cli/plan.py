"""`attnscope plan`: the memory and time a request would take, before you make it."""

import json as json_module
import sys
from dataclasses import asdict
from typing import Annotated

import typer

import attnscope
from attnscope.cli import options
from attnscope.errors import TooLargeError


def plan(
    text: options.Text = None,
    file: options.File = None,
    messages: options.Messages = None,
    method: Annotated[
        str,
        typer.Option(help="maps, generate, or one of `attnscope methods`."),
    ] = "maps",
    tokens: Annotated[int | None, typer.Option(min=1, help="Plan for N tokens instead of a text.")] = None,
    layers: Annotated[int | None, typer.Option(min=1, help="maps: number of layers. Default: all.")] = None,
    heads: Annotated[int | None, typer.Option(min=1, help="maps: number of heads. Default: all.")] = None,
    statistics_only: Annotated[bool, typer.Option("--statistics-only", help="maps: statistics only, no maps.")] = False,
    runs: Annotated[
        int | None,
        typer.Option(
            min=1, help="How often a method runs the model: its steps, samples or words; or tokens to generate."
        ),
    ] = None,
    json: options.Json = False,
    *,
    loading: options.Loading,
) -> None:
    """Say how much memory at most, and roughly how much time, a request takes, without making it.

    Exits with 2 if the request does not fit into this machine's memory, and says how to make it smaller.

        attnscope plan --tokens 8192 --method rollout
    """
    source = options.Source(text, file, messages)
    alone = tokens is not None and text is None and file is None and messages is None
    given = None if alone else source.read()
    planned = attnscope.plan(
        loading.load(), given, method, tokens=tokens, layers=layers, heads=heads, maps=not statistics_only,
        top=0 if statistics_only else 32, runs=runs, **source.reading(),
    )  # fmt: skip
    if json:
        sys.stdout.write(json_module.dumps({**asdict(planned), "fits": planned.fits}) + "\n")
    else:
        sys.stdout.write(f"{planned}\n")
    if not planned.fits:
        raise TooLargeError(f"this does not fit: {planned.smaller}")
