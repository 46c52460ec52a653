"""`attnscope explain`: which words mattered, by any method, for any target."""

import json as json_module
from typing import Annotated, Any

import typer

import attnscope
from attnscope.cli import options
from attnscope.errors import InputError
from attnscope.results.attribution import Attribution
from attnscope.results.per_token import PerToken


def explain(
    source: options.Source,
    method: Annotated[str, typer.Option(help="One of `attnscope methods`.")] = "gradient",
    target: Annotated[
        str | None,
        typer.Option(help="Continuation, target text, label or token at the mask. Default: the loss."),
    ] = None,
    against: Annotated[str | None, typer.Option(help="What the target is held against: their difference.")] = None,
    generate: Annotated[int | None, typer.Option(help="Explain the model's own continuation of N tokens.")] = None,
    per_token: Annotated[bool, typer.Option("--per-token", help="Each token of the continuation by itself.")] = False,
    position: Annotated[str | None, typer.Option(help="Word or token index: a masked word, a token's label.")] = None,
    quantity: Annotated[str | None, typer.Option(help="log_probability, loss, logit or probability.")] = None,
    unit: Annotated[str, typer.Option(help="word, token, sentence or segment.")] = "word",
    segments: Annotated[
        str | None, typer.Option(help='paragraphs, turns, or JSON: {"name": [start, end], …} in characters.')
    ] = None,
    within: Annotated[
        str | None, typer.Option(help="Only what is inside: a segment's name, or JSON [start, end] in characters.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the method: --set steps=40. May be repeated.")
    ] = None,
    output: options.Output = None,
    json: options.Json = False,
    *,
    look: options.Look,
    loading: options.Loading,
) -> None:
    """Show which words mattered, by one of `attnscope methods`, for any target.

    attnscope explain "The film is" --method integrated_gradients --target " good" --against " bad" -o film.html
    """
    options.check_output(output, PerToken if per_token else Attribution)
    given = source.read()
    asked: dict[str, Any] = {
        "target": target,
        "against": against,
        "generate": generate,
        "per_token": per_token or None,
        "position": None if position is None else _value(position),
        "quantity": quantity,
        "unit": unit if unit != "word" else None,
        "segments": None if segments is None else _value(segments),
        "within": None if within is None else _value(within),
        "chat": source.chat or None,
        "truncate": source.truncate or None,
    }
    parameters = {name: value for name, value in asked.items() if value is not None} | own_parameters(option or [])
    result = attnscope.explain(loading.load(), given, method=method, **parameters)
    options.show(result, output, json, look)


def own_parameters(given: list[str]) -> dict[str, Any]:
    """name=value, as given by --set. Raises InputError."""
    parameters = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise InputError(f"--set {one!r} is no name=value: write for example --set steps=40")
        parameters[name] = _value(value)
    return parameters


def _value(text: str) -> Any:
    """Numbers, true, false and JSON as such; anything else is the text itself."""
    try:
        return json_module.loads(text)
    except ValueError:
        return text
