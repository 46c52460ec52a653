"""`attnscope flow`: attention followed through the layers, or weighed by what it carries."""

from typing import Annotated, Any

import typer

import attnscope
from attnscope.cli import options
from attnscope.errors import InputError


def flow(
    source: options.Source,
    method: Annotated[
        str | None, typer.Option(help="One of `attnscope methods --family flow`. Default: the first, rollout.")
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            help="A word of the text, or a token's index (word:7 for the word 7). "
            "Default: mean over all; the last token for attention_gradient and attention_flow."
        ),
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Layer index. Default: the method's own.")] = None,
    head: Annotated[str | None, typer.Option(help="value_norm: head index, or sum.")] = None,
    heads: Annotated[str | None, typer.Option(help="rollout, attention_flow: mean, max or min over heads.")] = None,
    target: Annotated[
        str | None,
        typer.Option(
            help="attention_gradient: what follows, or a label; with --query the next token there. "
            "Default: the most likely one."
        ),
    ] = None,
    against: Annotated[str | None, typer.Option(help="attention_gradient: what the target is held against.")] = None,
    output: options.Output = None,
    json: options.Json = False,
    *,
    look: options.Look,
    loading: options.Loading,
) -> None:
    """Follow attention through all layers, or weigh it by what it carries.

    rollout and attention_flow follow attention down from the query; attention_gradient does so for one prediction;
    value_norm and value_zeroing look at what the value vectors bring.

        attnscope flow "The capital of Japan is" --method attention_gradient --target " Tokyo" -o tokyo.html
    """
    options.check_output(output)
    known = [row.name for row in attnscope.METHODS.values() if row.family == "flow"]
    if method not in (None, *known):
        raise InputError(f"there is no flow method {method!r}; choose from {', '.join(known)}")
    given = source.read()
    asked: dict[str, Any] = {
        "query": None if query is None else options.query(query),
        "layer": None if layer is None else options.number(layer),
        "head": None if head is None else options.number(head),
        "heads": heads,
        "target": target,
        "against": against,
    }
    result = attnscope.explain(
        loading.load(),
        given,
        method=method or known[0],
        chat=source.chat,
        truncate=source.truncate,
        **{name: value for name, value in asked.items() if value is not None},
    )
    options.show(result, output, json, look)
