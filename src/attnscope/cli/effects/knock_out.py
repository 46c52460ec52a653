"""`attnscope knock-out`: a target without some heads, edges, layers or words."""

from typing import Annotated

import typer

from attnscope.cli import options
from attnscope.cli.effects.asked import Asked, How, KeepRest
from attnscope.errors import InputError
from attnscope.results.effects.effect import Effect


def knock_out(
    source: options.Source,
    asked: Asked,
    head: Annotated[list[str] | None, typer.Option(help="A head, LAYER.HEAD, such as 15.7. May be repeated.")] = None,
    edge: Annotated[
        list[str] | None,
        typer.Option(
            help='Attention, QUERY>KEY: words or token indices, such as "him>John" or "-1>0"; * is every token. May be '
            "repeated."
        ),
    ] = None,
    edge_layers: Annotated[
        str | None, typer.Option(help="In which layers edges are cut, such as 3,4 or 3-9. Default: all.")
    ] = None,
    keep_rest: KeepRest = False,
    layer: Annotated[list[int] | None, typer.Option(help="A layer to skip. May be repeated.")] = None,
    word: Annotated[
        list[str] | None, typer.Option(help="A word, or a token's index, to overwrite. May be repeated.")
    ] = None,
    how: How = "zero",
    replacement: Annotated[
        str | None,
        typer.Option(help="What overwrites words: mask, mean, zero, pad, neutral or infill; delete leaves them out."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many of the likeliest next words are ranked.")] = 10,
    output: options.Output = None,
    json: options.Json = False,
    *,
    look: options.Look,
    loading: options.Loading,
) -> None:
    """Take heads, edges, layers or words away, and see what becomes of a target.

    attnscope knock-out "Paris is in France. Tokyo is in" --target " Japan" --head 15.7 --edge="-1>Tokyo" -o page.html
    """
    from attnscope.studies.effects.knock_out import knock_out as run

    options.check_output(output, Effect)
    result = run(
        loading.load(),
        source.read(),
        heads=[head_of(one) for one in head or []],
        edges=[_edge(one) for one in edge or []],
        edge_layers=None if edge_layers is None else layers_of(edge_layers),
        layers=layer or [],
        words=[options.query(one) for one in word or []],
        how=how,
        renormalise=not keep_rest,
        replacement=replacement,
        top=top,
        **asked.of(source, pairs=True),
    )
    options.show(result, output, json, look)


def head_of(given: str) -> tuple[int, int]:
    """The layer and the head in "15.7". Raises InputError."""
    layer, dot, head = given.partition(".")
    try:
        if dot:
            return int(layer), int(head)
    except ValueError:
        pass
    raise InputError(f"--head {given!r} is no head: write LAYER.HEAD, such as 15.7")


def _edge(given: str) -> tuple[int | str | None, int | str | None]:
    query, arrow, key = given.partition(">")
    if not arrow or not query or not key:
        raise InputError(f'--edge {given!r} is no edge: write QUERY>KEY, such as "him>John"')
    return _side(query), _side(key)


def _side(given: str) -> int | str | None:
    return None if given == "*" else options.query(given)


def layers_of(given: str) -> list[int]:
    """The layers in "3,4" or "3-9". Raises InputError."""
    layers: list[int] = []
    for part in given.split(","):
        first, dash, last = part.strip().partition("-")
        try:
            layers += range(int(first), int(last) + 1) if dash and first else [int(part)]
        except ValueError:
            raise InputError(f"--edge-layers {given!r}: write numbers and ranges, such as 3,4 or 3-9") from None
    return layers
