"""`attnscope gradient`: how strongly the loss reacts to each word."""

from typing import Annotated, Literal, cast

import typer

import attnscope
from attnscope.cli import options


def gradient(
    source: options.Source,
    norm: Annotated[str, typer.Option(help="l2 or l1 norm over the embedding's dimensions.")] = "l2",
    pool: Annotated[str, typer.Option(help="How tokens make a word's score: sum, mean or max.")] = "sum",
    preset: Annotated[
        str | None,
        typer.Option(
            help="promptrobust (the norm of a word's summed gradient) or vocabulary (equal tokens share a score)."
        ),
    ] = None,
    output: options.Output = None,
    json: options.Json = False,
    *,
    look: options.Look,
    loading: options.Loading,
) -> None:
    """Show how strongly the model's loss on the text reacts to each word (PromptRobust, arXiv:2306.04528).

    attnscope gradient "Is the following sentence positive or negative?" -o gradient.html
    """
    options.check_output(output)
    given = source.read()
    result = attnscope.explain(
        loading.load(),
        given,
        method="gradient",
        norm=cast(Literal["l2", "l1"], norm),
        pool=cast(Literal["sum", "mean", "max"], pool),
        preset=cast(Literal["promptrobust", "vocabulary"] | None, preset),
        **source.reading(),
    )
    options.show(result, output, json, look)
