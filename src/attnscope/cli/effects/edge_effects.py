"""`attnscope edge-effects`: what a target loses when it may not look at a word, by windows of layers."""

from pathlib import Path
from typing import Annotated

import typer

from attnscope.cli import options
from attnscope.cli.effects.asked import Asked, KeepRest
from attnscope.results.effects.edge_effects import EdgeEffects


def edge_effects(
    source: options.Source,
    asked: Asked,
    layer_window: Annotated[int, typer.Option(min=1, help="In how many layers around each the edges are cut.")] = 9,
    query: Annotated[
        str | None, typer.Option(help="From which word or token index. Default: where the target is read.")
    ] = None,
    word: Annotated[list[str] | None, typer.Option(help="Only to this word. May be repeated.")] = None,
    keep_rest: KeepRest = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help=options.formats(EdgeEffects))] = None,
    json: options.Json = False,
    *,
    look: options.Look,
    loading: options.Loading,
) -> None:
    """Cut the attention from a target to each word, in windows of layers: where does the word reach the target?

    attnscope edge-effects "Paris is in France. Tokyo is in" --target " Japan" --layer-window 5 -o edges.html
    """
    from attnscope.studies.effects.edge_effects import edge_effects as run

    options.check_output(output, EdgeEffects)
    result = run(
        loading.load(),
        source.read(),
        window=layer_window,
        query=None if query is None else options.query(query),
        words=[options.query(one) for one in word] if word else None,
        renormalise=not keep_rest,
        **asked.of(source),
    )
    options.show(result, output, json, look)
