"""`attnscope survey`: a whole corpus in, a folder of Parquet tables out."""

import json as json_module
import sys
from typing import Annotated, Any, Literal

import typer

import attnscope
from attnscope.cli import options
from attnscope.cli.evaluate import method_of
from attnscope.cli.explain import own_parameters
from attnscope.cli.spoken import tell


def survey(
    data: Annotated[
        str,
        typer.Argument(
            help="A .csv, .tsv, .jsonl, .parquet or .txt file, a pattern in quotes, a folder, or an address such as "
            "s3://bucket/folder.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="The folder, or an address. The same command goes on with what is there."),
    ],
    method: Annotated[
        list[str] | None,
        typer.Option(
            help='One of `attnscope methods`; parameters after a colon: "integrated_gradients:steps=40". '
            "May be repeated. Default: gradient."
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="A possible answer; the likeliest one is explained, of two against the other. Repeat it."),
    ] = None,
    target: Annotated[str | None, typer.Option(help="What to explain, of every text.")] = None,
    against: Annotated[str | None, typer.Option(help="A contrast: explain the target minus this.")] = None,
    template: Annotated[
        str | None,
        typer.Option(help=r'A text around each text: "Review: {text}\nSentiment:". Its own words are not scored.'),
    ] = None,
    text_column: Annotated[str | None, typer.Option(help="The column of the texts. Default: text.")] = None,
    messages_column: Annotated[
        str | None, typer.Option(help="The column of chats. Default: messages, where there is no text.")
    ] = None,
    pair_column: Annotated[
        str | None, typer.Option(help="The column of second texts. Default: text_pair, if there is one.")
    ] = None,
    target_column: Annotated[
        str | None, typer.Option(help="The column of what is explained. Default: target, if there is one.")
    ] = None,
    gold_column: Annotated[
        str | None, typer.Option(help="The column of the right labels. Default: gold, if there is one.")
    ] = None,
    id_column: Annotated[
        str | None, typer.Option(help="The column of what rows are called. Default: id, or a hash of the text.")
    ] = None,
    rationale_column: Annotated[
        str | None,
        typer.Option(help="The column of what people find important: [[start, end], …] in characters."),
    ] = None,
    keep: Annotated[list[str] | None, typer.Option(help="A further column to carry through. May be repeated.")] = None,
    heads: Annotated[bool, typer.Option("--heads", help="Profile the attention heads too.")] = False,
    shard: Annotated[
        str | None, typer.Option(help="3/16: the third of sixteen commands that share the work and the folder.")
    ] = None,
    part_texts: Annotated[int, typer.Option(min=1, help="Texts of a part: what a killed run loses at most.")] = 256,
    engine: Annotated[
        Literal["here", "ray"], typer.Option(help="ray: actors on this machine or a cluster, see docs/clusters.md.")
    ] = "here",
    concurrency: Annotated[int, typer.Option(min=1, help="With ray: how many actors, each with a model.")] = 2,
    num_cpus: Annotated[float, typer.Option(help="With ray: CPUs of each actor.")] = 1,
    num_gpus: Annotated[float, typer.Option(help="With ray: GPUs of each actor.")] = 0,
    address: Annotated[str | None, typer.Option(help="With ray: a running cluster's address, or auto.")] = None,
    unit: Annotated[Literal["word", "token", "character", "sentence"], typer.Option(help="What is scored.")] = "word",
    option: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of all methods: --set truncate=true. Repeat it.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print survey.json on standard output.")] = False,
    *,
    loading: options.Loading,
) -> None:
    r"""Explain every text of a corpus into a folder of Parquet tables: words, texts, heads.

    attnscope survey reviews.parquet --text-column text --label " positive" --label " negative" -o out/
    """
    parameters: dict[str, Any] = own_parameters(option or [])
    parameters |= {name: value for name, value in (("target", target), ("against", against)) if value is not None}
    if unit != "word":
        parameters["unit"] = unit
    chosen: list[Any] = [method_of(one) for one in method or ["gradient"]]
    try:
        made = attnscope.survey(
            loading.load(), data, chosen, to=output, labels=label or (),
            template=None if template is None else template.replace("\\n", "\n"),
            text_column=text_column, messages_column=messages_column, pair_column=pair_column,
            target_column=target_column, gold_column=gold_column, id_column=id_column,
            rationale_column=rationale_column, keep=keep or (), heads=heads, shard=shard,
            part_texts=part_texts, engine=engine, concurrency=concurrency, num_cpus=num_cpus, num_gpus=num_gpus,
            address=address, **parameters,
        )  # fmt: skip
    except KeyboardInterrupt:
        tell("stopped; the parts so far are in {output}, and the same command goes on", output=output)
        raise typer.Exit(130) from None
    failed = made.failed
    if json:
        sys.stdout.write(json_module.dumps(made.about, ensure_ascii=False) + "\n")
    tell("wrote {path}, {count} texts", path=made.path, count=f"{made.about['texts']:,}")
    if failed:
        tell(
            "{failed} of them failed; their rows in {folder} say why",
            failed=f"{failed:,}", folder=f"{made.path.rstrip('/')}/texts",
        )  # fmt: skip
