"""`attnscope gradient`: how strongly the loss reacts to each word."""

from typing import Annotated, Literal

import typer

from attnscope.cli import options
from attnscope.cli.tables.answering import answer


def gradient(
    source: options.Source,
    norm: Annotated[Literal["l2", "l1"], typer.Option(help="The norm over the embedding's dimensions.")] = "l2",
    pool: Annotated[Literal["sum", "mean", "max"], typer.Option(help="How tokens make a word's score.")] = "sum",
    preset: Annotated[
        Literal["promptrobust", "vocabulary"] | None,
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
    answer(source, loading, look, output, json, "gradient", {"norm": norm, "pool": pool, "preset": preset})
