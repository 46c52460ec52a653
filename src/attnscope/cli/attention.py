"""`attnscope attention`: what a query token attends to."""

from typing import Annotated, Literal, cast

import typer

import attnscope
from attnscope.cli import options


def attention(
    text: options.Text = None,
    file: options.File = None,
    model: options.ModelName = None,
    layer: Annotated[str, typer.Option(help="Layer index, negative from the end, or mean.")] = "-1",
    head: Annotated[str, typer.Option(help="Head index, or mean or max over heads.")] = "0",
    query: Annotated[
        str | None,
        typer.Option(help="A word of the text, or a token's index (word:7 for the word 7). Default: mean over all."),
    ] = None,
    output: options.Output = None,
    json: options.Json = False,
    chat: options.Chat = False,
    truncate: options.Truncate = False,
    max_line_chars: options.LineChars = None,
    font: options.Font = None,
    font_size: options.FontSize = None,
    dark: options.Dark = False,
    dtype: options.Dtype = None,
    device: options.Device = None,
    revision: options.Revision = None,
    trust_remote_code: options.RemoteCode = False,
    debug: options.Debug = False,  # noqa: ARG001 -- read by main, which reports errors
) -> None:
    """Show what a word attends to in one layer and head.

    Special tokens stay in the model's input and leave the picture; the attention that they took is reported.

        attnscope attention "The castle on the hill was old." --layer 12 --head 3 --query castle -o castle.html
    """
    options.check_output(output)
    given = options.read_text(text, file)
    loaded = attnscope.load(
        model, device_map=device, dtype=dtype, revision=revision, trust_remote_code=trust_remote_code
    )
    result = attnscope.attention(
        loaded,
        given,
        layer=cast(Literal["mean"], options.number(layer)),
        head=cast(Literal["mean", "max"], options.number(head)),
        query=None if query is None else options.query(query),
        chat=chat,
        truncate=truncate,
    )
    options.show(result, output, json, max_line_chars, font, font_size, dark)
