"""`attnscope render`: a saved result, drawn again."""

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from attnscope.cli import options
from attnscope.errors import DamagedFileError, InputError
from attnscope.render import save
from attnscope.results.agreement import Agreement
from attnscope.results.attention_maps import AttentionMaps
from attnscope.results.attribution import Attribution
from attnscope.results.comparison import Comparison, Comparisons
from attnscope.results.evaluation import Evaluation
from attnscope.results.per_token import PerToken

_KINDS: dict[str, Any] = {
    "per-token": PerToken,
    "agreement": Agreement,
    "comparison": Comparison,
    "comparisons": Comparisons,
    "evaluation": Evaluation,
}


def render(
    saved: Annotated[
        Path, typer.Argument(help="A .json, .jsonl or .safetensors file that attnscope wrote.", show_default=False)
    ],
    output: options.Output = None,
    json: options.Json = False,
    debug: options.Debug = False,  # noqa: ARG001 -- read by main, which reports errors
    *,
    look: options.Look,
) -> None:
    """Draw a saved result; needs neither the model nor torch.

    attnscope render castle.json -o castle.pdf
    """
    if saved.suffix.lower() == ".safetensors":
        _render_maps(saved, output, look.dark)
        return
    try:
        kind = _kind(saved)
        options.check_output(output, kind)
        result = kind.load(saved)
    except OSError as error:
        raise InputError(f"cannot read {saved}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DamagedFileError(f"{saved} is not UTF-8 text ({error}); expected a saved result") from error
    options.show(result, output, json, look)


def _kind(saved: Path) -> Any:
    """What was saved; the result of one text where that cannot be told, whose loading then says what is wrong."""
    document = saved.read_text("utf-8")
    try:
        first = document.split("\n", 1)[0] if saved.suffix.lower() == ".jsonl" else document
        return _KINDS.get(json_module.loads(first)["kind"], Attribution)
    except (ValueError, KeyError, TypeError, RecursionError):
        return Attribution


def _render_maps(saved: Path, output: Path | None, dark: bool) -> None:
    options.check_output(output, AttentionMaps)
    if output is None:
        raise InputError(f"{saved} holds attention maps: name the picture with -o, such as -o maps.png")
    try:
        maps = AttentionMaps.load(saved)
    except OSError as error:
        raise InputError(f"cannot read {saved}: {error.strerror}") from error
    save(maps, output, **({"dark": True} if dark else {}))
