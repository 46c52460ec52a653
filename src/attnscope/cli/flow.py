"""`attnscope flow`: attention followed through the layers, or weighted by what it carries."""

from typing import Annotated, Any, Literal

import typer

import attnscope
from attnscope.cli import options
from attnscope.cli.tables.answering import answer
from attnscope.errors import InputError


def flow(
    source: options.Source,
    method: Annotated[
        str | None, typer.Option(help="One of `attnscope methods --family flow`. Default: the first, rollout.")
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            help='A word of the text, or a token\'s index (word:7 means the word "7"). '
            "Default: mean over all; for attention_gradient and attention_flow, the last token."
        ),
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Layer index. Default: the method's own.")] = None,
    head: Annotated[str | None, typer.Option(help="value_norm: head index, or sum.")] = None,
    heads: Annotated[
        Literal["mean", "max", "min"] | None, typer.Option(help="rollout, attention_flow: how heads are combined.")
    ] = None,
    linear: Annotated[
        bool,
        typer.Option(
            "--linear",
            help="rollout: follow layers of linear attention and Mamba 2 too, by the sizes of their weights.",
        ),
    ] = False,
    target: Annotated[
        str | None,
        typer.Option(
            help="attention_gradient: a continuation or a label; with --query, the next token there. "
            "Default: the most likely one."
        ),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="attention_gradient: a contrast; explain the target minus this.")
    ] = None,
    output: options.Output = None,
    json: options.Json = False,
    *,
    look: options.Look,
    loading: options.Loading,
) -> None:
    """Follow attention through all layers, or weight it by what it carries.

    rollout and attention_flow follow attention down from the query; attention_gradient does so for one prediction;
    value_norm and value_zeroing look at what the value vectors contribute.

        attnscope flow "The capital of Japan is" --method attention_gradient --target " Tokyo" -o tokyo.html
    """
    known = [row.name for row in attnscope.METHODS.values() if row.family == "flow"]
    if method not in (None, *known):
        raise InputError(f"there is no flow method {method!r}; choose from {', '.join(known)}")
    asked: dict[str, Any] = {
        "query": None if query is None else options.query(query),
        "layer": None if layer is None else options.number(layer),
        "head": None if head is None else options.number(head),
        "heads": heads,
        "linear": linear or None,
        "target": target,
        "against": against,
    }
    answer(source, loading, look, output, json, method or known[0], asked)
