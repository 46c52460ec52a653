"""`attnscope head-effects`: the effect of every head on a target."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from attnscope.cli import options
from attnscope.cli.effects.asked import Asked, How
from attnscope.errors import InputError
from attnscope.results.effects.head_effects import HeadEffects


def head_effects(
    source: options.Source,
    asked: Asked,
    exact: Annotated[
        str, typer.Option(help='Of how many heads, those with the strongest estimates, the exact effect; or "all".')
    ] = "32",
    how: How = "zero",
    output: Annotated[Path | None, typer.Option("--output", "-o", help=options.formats(HeadEffects))] = None,
    json: options.Json = False,
    *,
    look: options.Look,
    loading: options.Loading,
) -> None:
    """Estimate the effect of each head on a target, and take the strongest away one by one.

    attnscope head-effects "Paris is in France. Tokyo is in" --target " Japan" -o heads.html
    """
    from attnscope.studies.effects.head_effects import head_effects as run

    options.check_output(output, HeadEffects)
    if exact != "all" and not exact.isdecimal():
        raise InputError(f'--exact {exact!r}: give a number, such as 32, or "all"')
    count: int | Literal["all"] = "all" if exact == "all" else int(exact)
    result = run(loading.load(), source.read(), exact=count, how=how, **asked.of(source))
    options.show(result, output, json, look)
