"""`attnscope render`: a saved result, drawn again."""

import json as json_module
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from attnscope.attribution import Attribution
from attnscope.cli import options
from attnscope.comparison import Comparison, Comparisons
from attnscope.errors import InputError
from attnscope.evaluation import Evaluation
from attnscope.maps import AttentionMaps
from attnscope.render import Result, save
from attnscope.render import render as draw


def render(
    saved: Annotated[
        Path, typer.Argument(help="A .json, .jsonl or .safetensors file that attnscope wrote.", show_default=False)
    ],
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
    if saved.suffix.lower() == ".safetensors":
        _render_maps(saved, output, dark)
        return
    if (kind := _KINDS.get(_kind_of(saved))) is not None:
        options.check_output(output, kind)
        chosen: dict[str, Any] = (
            {"font_size": font_size, "dark": dark or None} if kind is not Evaluation else {"dark": dark or None}
        )
        if kind is Comparison and output is not None and output.suffix.lower() in (".png", ".svg", ".pdf"):
            chosen |= {"max_line_chars": max_line_chars, "font": font}
        drawn: Result = kind.load(saved)
        if output is not None:
            save(drawn, output, **{name: value for name, value in chosen.items() if value is not None})
        else:
            sys.stdout.write(drawn.to_json() + "\n" if json else draw(drawn, ".txt").decode())
        return
    options.check_output(output)
    try:
        result = Attribution.load(saved)
    except OSError as error:
        raise InputError(f"cannot read {saved}: {error.strerror}") from error
    options.show(result, output, json, max_line_chars, font, font_size, dark)


_KINDS: dict[str, type[Comparison | Comparisons | Evaluation]] = {
    "comparison": Comparison,
    "comparisons": Comparisons,
    "evaluation": Evaluation,
}


def _kind_of(saved: Path) -> str:
    """What a saved document says it is; empty where it says nothing, which the loading then explains."""
    try:
        text = saved.read_text("utf-8")
        data = json_module.loads(text.split("\n", 1)[0] if saved.suffix.lower() == ".jsonl" else text)
    except (OSError, ValueError, RecursionError):
        return ""
    return str(data.get("kind", "")) if isinstance(data, dict) else ""


def _render_maps(saved: Path, output: Path | None, dark: bool) -> None:
    options.check_output(output, AttentionMaps)
    if output is None:
        raise InputError(f"{saved} holds attention maps: name the picture with -o, such as -o maps.png")
    try:
        maps = AttentionMaps.load(saved)
    except OSError as error:
        raise InputError(f"cannot read {saved}: {error.strerror}") from error
    save(maps, output, **({"dark": True} if dark else {}))
