"""`attnscope render`: a saved result, drawn again."""

from pathlib import Path
from typing import Annotated

import typer

from attnscope.attribution import Attribution
from attnscope.cli import options
from attnscope.errors import InputError


def render(
    saved: Annotated[Path, typer.Argument(help="A .json file that attnscope wrote.", show_default=False)],
    output: options.Output = None,
    json: options.Json = False,
    max_line_chars: options.LineChars = None,
    font: options.Font = None,
    font_size: options.FontSize = None,
    dark: options.Dark = False,
    debug: options.Debug = False,  # noqa: ARG001 -- read by main, which reports errors
) -> None:
    """Draw a saved result; needs neither the model nor torch.

    attnscope render castle.json -o castle.pdf
    """
    options.check_output(output)
    try:
        result = Attribution.load(saved)
    except OSError as error:
        raise InputError(f"cannot read {saved}: {error.strerror}") from error
    options.show(result, output, json, max_line_chars, font, font_size, dark)
