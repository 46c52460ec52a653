"""`attnscope render`: draw a saved result again."""

from pathlib import Path
from typing import Annotated

import typer

from attnscope.cli import options
from attnscope.errors import InputError
from attnscope.render import RENDERERS
from attnscope.results.base import load_result
from attnscope.results.corpus.survey import Survey


def render(
    saved: Annotated[
        Path,
        typer.Argument(
            help="A .json, .jsonl or .safetensors file that attnscope wrote, or a survey's folder.", show_default=False
        ),
    ],
    output: options.Output = None,
    json: options.Json = False,
    debug: options.Debug = False,  # noqa: ARG001 -- read by main, which reports errors
    *,
    look: options.Look,
) -> None:
    """Draw a saved result, without the model and without torch.

    attnscope render castle.json -o castle.pdf
    """
    try:
        result = load_result(saved)
    except OSError as error:
        raise InputError(f"cannot read {saved}: {error.strerror}") from error
    if isinstance(result, Survey):
        result = result.summary()
    options.check_output(output, type(result))
    if output is None and not json and ".txt" not in RENDERERS[type(result)]:
        raise InputError(f"{saved} holds no text to print: name the picture with -o, such as -o {saved.stem}.png")
    options.show(result, output, json, look)
