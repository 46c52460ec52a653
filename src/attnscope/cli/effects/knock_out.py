"""`attnscope knock-out`: a target without some heads, edges, layers or words."""

from typing import Annotated, Any, Literal

import typer

from attnscope.cli import options
from attnscope.errors import InputError
from attnscope.results.effects.effect import Effect

Target = Annotated[
    str | None, typer.Option(help="What is measured: a continuation, target text or label. Default: the loss.")
]
Against = Annotated[str | None, typer.Option(help="A contrast: the target minus this.")]
Generate = Annotated[int | None, typer.Option(help="Measure the model's own continuation of N tokens.")]
Position = Annotated[str | None, typer.Option(help="Word or token index, for masked words and token labels.")]
Quantity = Annotated[
    Literal["log_probability", "loss", "logit", "probability"] | None,
    typer.Option(help="What the target's value is. Default: log_probability, or the loss where no target is given."),
]
How = Annotated[Literal["zero", "mean", "resample"], typer.Option(help="What stands in the place of a head's output.")]
SimilarTo = Annotated[
    str | None,
    typer.Option(help="Measure how similar the text is to this one, in a model that makes one vector of a text."),
]
Stack = Annotated[
    Literal["encoder", "decoder", "cross"] | None,
    typer.Option(help="Of an encoder–decoder: whose heads, edges and layers. Default: encoder."),
]


def knock_out(
    source: options.Source,
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
    keep_rest: Annotated[
        bool, typer.Option("--keep-rest", help="Leave the rest of a query's weights as it is where an edge is cut.")
    ] = False,
    layer: Annotated[list[int] | None, typer.Option(help="A layer to skip. May be repeated.")] = None,
    word: Annotated[list[str] | None, typer.Option(help="A word to overwrite. May be repeated.")] = None,
    how: How = "zero",
    replacement: Annotated[
        str | None, typer.Option(help="What overwrites words: mask, mean, zero, pad or neutral.")
    ] = None,
    target: Target = None,
    against: Against = None,
    generate: Generate = None,
    position: Position = None,
    quantity: Quantity = None,
    similar_to: SimilarTo = None,
    stack: Stack = None,
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
    taken: dict[str, Any] = {
        "heads": [head_of(one) for one in head or []],
        "edges": [_edge(one) for one in edge or []],
        "edge_layers": None if edge_layers is None else layers_of(edge_layers),
        "layers": layer or [],
        "words": [options.query(one) for one in word or []],
    }
    result = run(
        loading.load(),
        source.read(),
        **taken,
        how=how,
        renormalise=not keep_rest,
        replacement=replacement,
        target=target,
        against=against,
        generate=generate,
        position=None if position is None else options.query(position),
        quantity=quantity,
        similar_to=similar_to,
        stack=stack,
        top=top,
        **reading_of(source),
    )
    options.show(result, output, json, look)


def reading_of(source: options.Source, *, pairs: bool = True) -> dict[str, Any]:
    """How the text is read. Raises InputError for windows, in which nothing is knocked out, and for an unread pair."""
    if source.pair is not None and not pairs:
        raise InputError("this command reads one text: leave --pair out, or use knock-out")
    if source.window is not None:
        raise InputError("a text is not read in windows here: leave --window out, or cut it with --truncate")
    return source.reading()


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
