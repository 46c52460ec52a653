"""`attnscope gradient`: how strongly the loss reacts to each word."""

from typing import Annotated, Literal, cast

import typer

import attnscope
from attnscope.cli import options


def gradient(
    text: options.Text = None,
    file: options.File = None,
    model: options.ModelName = None,
    norm: Annotated[str, typer.Option(help="l2 or l1, over the embedding's dimensions.")] = "l2",
    pool: Annotated[str, typer.Option(help="sum, mean or max: a word's score from its tokens'.")] = "sum",
    preset: Annotated[
        str | None,
        typer.Option(
            help="promptrobust (norm of a word's summed gradient) or vocabulary (equal tokens share a score)."
        ),
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
    """Show how strongly the model's loss on the text reacts to each word (PromptRobust, arXiv:2306.04528).

    attnscope gradient "Is the following sentence positive or negative?" -o gradient.html
    """
    options.check_output(output)
    given = options.read_text(text, file)
    loaded = attnscope.load(
        model, device_map=device, dtype=dtype, revision=revision, trust_remote_code=trust_remote_code
    )
    result = attnscope.explain(
        loaded,
        given,
        method="gradient",
        norm=cast(Literal["l2", "l1"], norm),
        pool=cast(Literal["sum", "mean", "max"], pool),
        preset=cast(Literal["promptrobust", "vocabulary"] | None, preset),
        chat=chat,
        truncate=truncate,
    )
    options.show(result, output, json, max_line_chars, font, font_size, dark)
