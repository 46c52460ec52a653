"""`attnscope evaluate`: which methods are faithful, for this model and these texts?"""

import json as json_module
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import attnscope
from attnscope.cli import options
from attnscope.cli.explain import own_parameters
from attnscope.cli.spoken import tell
from attnscope.errors import InputError
from attnscope.results.evaluation import Evaluation
from attnscope.results.files.schema1 import upgraded
from attnscope.results.sample import Sample
from attnscope.translation import in_locale


def evaluate(
    texts: Annotated[
        Path,
        typer.Argument(
            help='One text per line, or .jsonl with {"text": …, "target": …, "labels": […], "within": [s, e], …}; '
            "or the saved rows of an evaluation, to draw them.",
            show_default=False,
        ),
    ],
    method: Annotated[
        list[str] | None,
        typer.Option(
            help='One of `attnscope methods`; parameters after a colon: "attention:layer=3,query=-1". '
            "May be repeated. Default: every method that runs on the model."
        ),
    ] = None,
    metric: Annotated[list[str] | None, typer.Option(help="May be repeated. Default: all.")] = None,
    target: Annotated[str | None, typer.Option(help="What to explain, for texts that name no target.")] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="A possible answer; the likeliest one is explained. May be repeated.")
    ] = None,
    generate: Annotated[int | None, typer.Option(help="Explain the model's own continuation of N tokens.")] = None,
    similar_to: Annotated[
        str | None,
        typer.Option(help="Explain the similarity to this text, of a model that makes one vector of a text."),
    ] = None,
    replacement: Annotated[
        Literal["delete", "mask", "pad", "neutral", "infill", "zero", "mean"],
        typer.Option("--replacement", "--way", help="What a removed word leaves."),
    ] = "delete",
    rows: Annotated[
        Path | None, typer.Option(help="Save rows here as they come (.jsonl); an interrupted run resumes from them.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=options.formats(Evaluation)),
    ] = None,
    json: options.Json = False,
    chat: options.Chat = False,
    *,
    look: options.Picture,
    loading: options.Loading,
) -> None:
    """Measure how faithful methods are, with confidence intervals and paired tests against random scores.

    attnscope evaluate reviews.txt --label " positive" --label " negative" --rows rows.jsonl -o report.html
    """
    options.check_output(output, Evaluation)
    found = _saved(texts)
    if found is None:
        samples = samples_of(texts)
        try:
            found = attnscope.evaluate(
                loading.load(), samples, None if not method else [method_of(one) for one in method], metric or None,
                replacement=replacement, target=target, labels=label or (), generate=generate,
                similar_to=similar_to, chat=chat, rows=rows,
            )  # fmt: skip
        except KeyboardInterrupt:
            if rows is None:
                raise
            tell("stopped; the rows so far are in {rows}, and the same command resumes", rows=rows)
            raise typer.Exit(130) from None
        for name, why in found.settings.get("skipped", {}).items():
            tell("skipped {name}: {why}", name=name, why=in_locale(why))
    options.write(found, output, look.given())
    if json:
        sys.stdout.write(found.to_json() + "\n")
    elif output is None:
        sys.stdout.write(found.table())


def method_of(given: str) -> tuple[str, dict[str, Any]]:
    """A method's name and the parameters after its colon."""
    name, _, parameters = given.partition(":")
    return name, own_parameters([one for one in parameters.split(",") if one])


def _saved(path: Path) -> Evaluation | None:
    """The evaluation whose rows these are; None for anything else."""
    try:
        with path.expanduser().open(encoding="utf-8-sig") as file:
            first = upgraded(json_module.loads(file.readline()))
    except (OSError, ValueError):
        return None
    return Evaluation.load(path) if isinstance(first, dict) and first.get("type") == "evaluation" else None


def samples_of(path: Path) -> list[Sample]:
    """The texts in a file. Raises InputError, naming the first line that is not a text."""
    try:
        lines = [line for line in path.expanduser().read_text("utf-8-sig").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the texts in {path}: {error}") from error
    found = []
    for number, line in enumerate(lines):
        given: Any = line
        if path.suffix.lower() == ".jsonl":
            try:
                given = json_module.loads(line)
            except ValueError as error:
                raise InputError(f"line {number + 1} of {path} is not JSON ({error})") from error
        found.append(Sample.of(given, f"line {number + 1} of {path}"))
    return found
