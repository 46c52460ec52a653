"""`attnscope explain`: which words mattered for a target, by any method."""

import json as json_module
from typing import Annotated, Any, Literal

import typer

from attnscope.cli import options
from attnscope.cli.tables.answering import answer
from attnscope.errors import InputError
from attnscope.results.attribution import Attribution
from attnscope.results.per_token import PerToken


def explain(
    source: options.Source,
    method: Annotated[
        str, typer.Option(help="One of `attnscope methods`, or auto: one that suits model and length.")
    ] = "auto",
    target: Annotated[
        str | None,
        typer.Option(
            help="What to explain: a continuation, target text, label, or token at the mask. Default: the loss."
        ),
    ] = None,
    against: Annotated[str | None, typer.Option(help="A contrast: explain the target minus this.")] = None,
    similar_to: Annotated[
        str | None,
        typer.Option(help="Explain the similarity to this text, of a model that makes one vector of a text."),
    ] = None,
    generate: Annotated[int | None, typer.Option(help="Explain the model's own continuation of N tokens.")] = None,
    per_token: Annotated[
        bool, typer.Option("--per-token", help="Explain each token of the continuation separately.")
    ] = False,
    position: Annotated[
        str | None, typer.Option(help="Word or token index, for masked words and token labels.")
    ] = None,
    quantity: Annotated[
        Literal["log_probability", "loss", "logit", "probability"] | None,
        typer.Option(
            help="What the target's value is. Default: log_probability, or the loss where no target is given."
        ),
    ] = None,
    unit: Annotated[
        Literal["word", "token", "character", "sentence", "segment"], typer.Option(help="What is scored.")
    ] = "word",
    segments: Annotated[
        str | None, typer.Option(help='paragraphs, turns, or JSON: {"name": [start, end], …} in characters.')
    ] = None,
    within: Annotated[
        str | None,
        typer.Option(help="Only score what is inside: a segment's name, or JSON [start, end] in characters."),
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
    """Show which words mattered for a target, by any of `attnscope methods`.

    attnscope explain "Paris is in France. Tokyo is in" --method deletion --target " Japan" --against " France"
    """
    asked: dict[str, Any] = {
        "target": target,
        "against": against,
        "similar_to": similar_to,
        "generate": generate,
        "per_token": per_token or None,
        "position": None if position is None else _value(position),
        "quantity": quantity,
        "unit": unit if unit != "word" else None,
        "segments": None if segments is None else _value(segments),
        "within": None if within is None else _value(within),
    }
    parameters = {name: value for name, value in asked.items() if value is not None} | own_parameters(option or [])
    answer(source, loading, look, output, json, method, parameters, PerToken if per_token else Attribution)


def own_parameters(given: list[str]) -> dict[str, Any]:
    """Parse name=value, as given to --set. Raises InputError."""
    parameters = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise InputError(f"--set {one!r} is not name=value: write for example --set steps=40")
        parameters[name] = _value(value)
    return parameters


def _value(text: str) -> Any:
    """The value of numbers, true, false and other JSON; anything else stays text."""
    try:
        return json_module.loads(text)
    except ValueError:
        return text
