"""`attnscope similarity`: which words of two texts make them similar."""

from pathlib import Path
from typing import Annotated, Literal

import typer

import attnscope
from attnscope.cli import options
from attnscope.results.similarity import Similarity


def similarity(
    text: Annotated[str, typer.Argument(help="The first text.", show_default=False)],
    other: Annotated[str, typer.Argument(help="The second text.", show_default=False)],
    baseline: Annotated[
        Literal["pad", "mean", "mask", "zero"] | None,
        typer.Option(help="What a word's embedding starts as. Default: pad, or mean where there is no padding token."),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Points on the path from there to the text.")] = 20,
    unit: Annotated[Literal["word", "token", "character", "sentence"], typer.Option(help="What is scored.")] = "word",
    truncate: options.Truncate = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help=options.formats(Similarity))] = None,
    json: options.Json = False,
    *,
    look: options.Look,
    loading: options.Loading,
) -> None:
    """Score every pair of words of two texts by what it does to their similarity, with a model that embeds texts.

    attnscope similarity "A cat sits on the mat" "A kitten rests on the rug" --model all-MiniLM-L6-v2 -o pair.html
    """
    options.check_output(output, Similarity)
    found = attnscope.similarity(
        loading.load(), text, other, baseline=baseline, steps=steps, unit=unit, truncate=truncate
    )
    options.show(found, output, json, look)
