"""What the commands that take things away have in common: what is measured, on which text, of which attention."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from attnscope.cli import options
from attnscope.errors import InputError

How = Annotated[Literal["zero", "mean", "resample"], typer.Option(help="What stands in the place of a head's output.")]
KeepRest = Annotated[
    bool, typer.Option("--keep-rest", help="Leave the rest of a query's weights as it is where an edge is cut.")
]


@dataclass(frozen=True)
class Asked:
    """The target, and whose attention is meant."""

    target: Annotated[
        str | None, typer.Option(help="What is measured: a continuation, target text or label. Default: the loss.")
    ] = None
    against: Annotated[str | None, typer.Option(help="A contrast: the target minus this.")] = None
    generate: Annotated[int | None, typer.Option(help="Measure the model's own continuation of N tokens.")] = None
    position: Annotated[str | None, typer.Option(help="Word or token index, for masked words and token labels.")] = None
    quantity: Annotated[
        Literal["log_probability", "loss", "logit", "probability"] | None,
        typer.Option(
            help="What the target's value is. Default: log_probability, or the loss where no target is given."
        ),
    ] = None
    similar_to: Annotated[
        str | None,
        typer.Option(help="Measure how similar the text is to this one, in a model that makes one vector of a text."),
    ] = None
    stack: Annotated[
        Literal["encoder", "decoder", "cross"] | None,
        typer.Option(help="Of an encoder–decoder: whose heads, edges and layers. Default: encoder."),
    ] = None

    def of(self, source: options.Source, *, pairs: bool = False) -> dict[str, Any]:
        """As the Python functions take it, with how the text is read.

        Raises InputError for windows, in which nothing is knocked out, and for a pair where none is read.
        """
        if source.pair is not None and not pairs:
            raise InputError("this command reads one text: leave --pair out, or use knock-out")
        if source.window is not None:
            raise InputError("a text is not read in windows here: leave --window out, or cut it with --truncate")
        position = None if self.position is None else options.query(self.position)
        return {**vars(self), "position": position, **source.reading()}
