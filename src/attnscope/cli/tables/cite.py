"""`attnscope cite`: which passages, or which turns of a chat, did each statement of an answer rely on?"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import attnscope
from attnscope.cli import options
from attnscope.cli.tables.reading import json_rows
from attnscope.errors import InputError
from attnscope.results.citation.citation import Citation, CitationMethod
from attnscope.text.messages import read_messages


def cite(
    question: Annotated[
        str | None, typer.Argument(help="The question. With --messages, leave it out.", show_default=False)
    ] = None,
    passages: Annotated[
        Path | None,
        typer.Option(
            help='The sources: .jsonl with {"text": …, "title": …, "id": …} or "…" a line; or a text, with blank lines '
            "between passages; - for standard input."
        ),
    ] = None,
    messages: Annotated[
        Path | None, typer.Option(help="A chat instead, as JSON: its turns are the sources, its last reply the answer.")
    ] = None,
    answer: Annotated[
        str | None, typer.Option(help="What was answered. Default: what the model itself answers.")
    ] = None,
    generate: Annotated[int, typer.Option(min=1, help="At most so many tokens of the model's own answer.")] = 64,
    method: Annotated[
        CitationMethod,
        typer.Option(
            help="deletion: leave each source out, exact. surrogate: a linear model over random sets of sources, with "
            "intervals. heads: attention, by one pass. gradient, mask_gradient, gim: one gradient a statement."
        ),
    ] = "deletion",
    depth: Annotated[
        Literal["source", "sentence", "word"] | None,
        typer.Option(help="Of deletion: how far sources are opened in which something is found. Default: sentence."),
    ] = None,
    search: Annotated[
        Literal["all", "halves"],
        typer.Option(
            help="Of deletion: leave out all sources, or groups of them and open the group that costs most, for the "
            "source that counts most."
        ),
    ] = "all",
    masks: Annotated[int | None, typer.Option(help="Of surrogate: how many sets of sources. Default: 64.")] = None,
    tolerance: Annotated[
        float | None, typer.Option(help="Of surrogate: go on until no interval reaches further than this, in logits.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Of heads: weights that attnscope.learn_heads has learnt and saved.")
    ] = None,
    exact: Annotated[
        int, typer.Option(min=0, help="Of all but deletion: measure the true effect of so many sources a statement.")
    ] = 3,
    template: Annotated[
        str | None, typer.Option(help="The prompt, with {passages} and {question} where these go.")
    ] = None,
    segments: Annotated[
        Literal["paragraphs", "turns"] | None, typer.Option(help="Without passages: what the sources are.")
    ] = None,
    within: Annotated[
        str | None, typer.Option(help='Without passages: the sentences of this turn, such as "3 assistant thinking".')
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help=options.formats(Citation))] = None,
    json: options.Json = False,
    *,
    look: options.Picture,
    loading: options.Loading,
) -> None:
    """Find the sources of an answer: a score for each statement and each passage, turn or sentence.

    attnscope cite "Where is the castle?" --passages passages.jsonl -o page.html
    """
    options.check_output(output, Citation)
    asked, more = _asked(question, passages, messages)
    found = attnscope.cite(
        loading.load(), asked, None if passages is None else passages_of(passages), answer, method=method, depth=depth,
        search=search, masks=masks, tolerance=tolerance, weights=weights, exact=exact, generate=generate,
        template=template, segments=segments, within=within, **more,
    )  # fmt: skip
    options.show(found, output, json, look)


def _asked(question: str | None, passages: Path | None, messages: Path | None) -> tuple[Any, dict[str, Any]]:
    """The question, or the messages of a chat with what its file says beside them. Raises InputError."""
    if messages is None:
        if question is None:
            raise InputError("there is no question: write it after the command, or give a chat with --messages")
        return question, {}
    if question is not None or passages is not None:
        raise InputError("a chat was given with --messages: leave the question and --passages out")
    read = read_messages(_document(messages), str(messages))
    return read.messages, {"tools": read.tools, "chat_template_kwargs": read.chat_template_kwargs}


def passages_of(path: Path) -> list[Any]:
    """The passages in a file. Raises TextError or InputError for a file that cannot be read, or has none."""
    document = _document(path)
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        found: list[Any] = [row for row, _ in json_rows(document, str(path))]
    else:
        found = [one for one in re.split(r"\n\s*\n", document) if one.strip()]
    if not found:
        raise InputError(f"{path} has no passages: give one a line, as JSON, or with blank lines between them")
    return found


def _document(path: Path) -> str:
    return options.read_document(None if str(path) == "-" else path)
