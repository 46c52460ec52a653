"""`attnscope attention`: what a query token attends to."""

from typing import Annotated

import typer

from attnscope.cli import options
from attnscope.cli.tables.answering import answer


def attention(
    source: options.Source,
    layer: Annotated[str, typer.Option(help="Layer index (negative counts from the end), or mean.")] = "-1",
    head: Annotated[str, typer.Option(help="Head index, or mean or max over all heads.")] = "0",
    query: Annotated[
        str | None,
        typer.Option(
            help='A word of the text, or a token\'s index (word:7 means the word "7"). Default: mean over all.'
        ),
    ] = None,
    linear: options.Linear = False,
    output: options.Output = None,
    json: options.Json = False,
    *,
    look: options.Look,
    loading: options.Loading,
) -> None:
    """Show what a token or word attends to in one layer and head.

    Special tokens stay in the model's input but out of the picture; the attention they took is reported. A layer of
    linear attention has no weights and is unrolled; --linear is for layers that have both, and for the last of them.

        attnscope attention "The black cat slept. Nobody had seen the black" --layer 18 --head 6 --query -1 -o cat.html
    """
    parameters = {
        "layer": options.number(layer),
        "head": options.number(head),
        "query": None if query is None else options.query(query),
        "linear": linear or None,
    }
    answer(source, loading, look, output, json, "attention", parameters)
