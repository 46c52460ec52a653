"""`attnscope compare`: two texts or two models, word by word; or many pairs in one report."""

import json as json_module
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from attnscope.cli import options
from attnscope.cli.explain import own_parameters
from attnscope.cli.pairs.kept import Kept, kept_beside
from attnscope.cli.spoken import tell, tell_sentence
from attnscope.errors import AttnscopeError, InputError
from attnscope.results.comparison import Comparison, Comparisons
from attnscope.text.inputs import is_chat


def compare(
    clean: Annotated[
        str | None, typer.Argument(help="The first text, or a .jsonl file of many pairs.", show_default=False)
    ] = None,
    adversarial: Annotated[
        str | None, typer.Argument(help="The second text; optional with --other.", show_default=False)
    ] = None,
    messages: Annotated[
        list[Path] | None,
        typer.Option(
            "--messages",
            help="A chat instead of a text: a JSON file with messages. Once for each side, or once with --other.",
        ),
    ] = None,
    tools: options.Tools = None,
    chat_template_kwargs: options.TemplateVariables = None,
    sample: Annotated[str | None, typer.Option(help="The text the prompts ask about: appended to both.")] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="A possible answer, as the model would write it. May be repeated.")
    ] = None,
    expected: Annotated[str | None, typer.Option(help="The correct label.")] = None,
    method: Annotated[str, typer.Option(help="One of `attnscope methods`.")] = "gradient",
    option: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the method: --set steps=40. May be repeated.")
    ] = None,
    other: Annotated[str | None, typer.Option(help="Another model for the second text.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=options.formats(Comparison)),
    ] = None,
    json: options.Json = False,
    chat: options.Chat = False,
    *,
    look: options.Look,
    loading: options.Loading,
) -> None:
    """Compare two texts word by word: scores, changes and predictions. Or many pairs, one JSON object per line.

    attnscope compare "Is it good?" "Iis it goood?" --label " yes" --label " no" -o pair.html

    attnscope compare pairs.jsonl -o report.html

    attnscope compare --messages polite.json --messages rude.json --label " yes" --label " no"
    """
    read: dict[str, Any] = {}
    if messages:
        chats, read = _chats(messages, [clean, adversarial])
        clean, adversarial = (*chats, None)[:2]
    many = adversarial is None and other is None and isinstance(clean, str) and clean.endswith(".jsonl")
    if clean is None or (not many and adversarial is None and other is None):
        raise InputError(
            "there is one text and nothing to compare it with: give a second text (or a second --messages), another "
            "model with --other MODEL, or the name of a .jsonl file of pairs"
        )
    options.check_output(output, Comparisons if many else Comparison)
    given = pairs_of(Path(clean)) if many else [{"clean": clean, "adversarial": adversarial}]
    shared: dict[str, Any] = {
        "method": method,
        "sample": sample,
        "labels": label or None,
        "expected": expected,
        "chat": chat or None,
        **read,
        **options.Source(tools=tools, chat_template_kwargs=chat_template_kwargs).reading(),
        **own_parameters(option or []),
    }
    shared = {name: value for name, value in shared.items() if value is not None}
    if other is not None:
        shared["other"] = loading.load(other)
    model = loading.load()
    with kept_beside(output if many else None, _asked(model, shared)) as kept:
        found, failed = compared(model, given, shared, kept)
        result = Comparisons(tuple(found)) if many else found[0]
        options.show(result, output, json, look)
    if failed:
        tell("{failed} of {count} pairs failed and are left out", failed=len(failed), count=len(given))
        raise typer.Exit(1)


def _chats(files: list[Path], texts: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """The chats in these files, and what they say of tools and template variables. Raises InputError."""
    if any(text is not None for text in texts) or len(files) > 2:
        raise InputError("give texts or --messages, one for each side: two chats, or one and another model (--other)")
    sources = [options.Source(messages=file) for file in files]
    own = [source.reading() for source in sources]
    if len(own) == 2 and own[0] != own[1]:
        raise InputError(f"{files[0]} and {files[1]} have other tools or template variables: give both the same")
    return [source.read() for source in sources], own[0]


def _asked(model: Any, shared: Mapping[str, Any]) -> dict[str, Any]:
    """What all pairs are asked, and of which models."""
    from attnscope.methods.build import provenance

    models = {"model": model} | ({"other": shared["other"]} if "other" in shared else {})
    return {**shared, **{name: [provenance(one), _files(one.name)] for name, one in models.items()}}


def _files(folder: str) -> list[tuple[str, int, int]]:
    """The files of a model in a folder, which may have been trained further under the same name."""
    files = sorted(path for path in Path(folder).glob("*") if path.is_file())
    return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]


def compared(
    model: Any, pairs: list[dict[str, Any]], shared: dict[str, Any], kept: Kept
) -> tuple[list[Comparison], list[AttnscopeError]]:
    """Compare each pair that is not kept; a pair's own settings override the shared ones.

    The second list says why pairs failed, which is said at once too.

    Raises the first error where no pair can be compared.
    """
    from attnscope.models.progress import progress
    from attnscope.studies.compare import compare as run

    found: list[Comparison] = []
    failed: list[AttnscopeError] = []
    for number, pair in enumerate(progress(pairs, "comparing", len(pairs))):
        if there := kept.find(pair):
            found.append(there)
            continue
        own = {name: pair[name] for name in ("sample", "labels", "expected") if pair.get(name) is not None}
        tags = {name: str(pair[name]) for name in ("attack", "task") if pair.get(name) is not None}
        try:
            found.append(run(model, pair["clean"], pair["adversarial"], tags=tags, **(shared | own)))
            kept.add(pair, found[-1])
        except AttnscopeError as error:
            if len(pairs) == 1:
                raise
            failed.append(type(error)(f"pair {number + 1} of {len(pairs)}: {error}"))
            tell_sentence(str(failed[-1]))
    if not found:
        raise failed[0]
    return found, failed


def pairs_of(path: Path) -> list[dict[str, Any]]:
    """The pairs in a file, one JSON object per line. Raises InputError, naming the first line that is not a pair."""
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the pairs in {path}: {error}") from error
    pairs = []
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            pair = json_module.loads(line)
            texts = [pair["clean"], pair["adversarial"]]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f'line {number + 1} of {path} is not a pair ({error!r}): write {{"clean": "…", "adversarial": "…"}} '
                'and, if known, "sample", "labels", "expected", "attack", "task"'
            ) from error
        where = f"line {number + 1} of {path}"
        if not all(isinstance(text, str) or is_chat(text) for text in texts):
            raise InputError(f"{where}: clean and adversarial must be strings, or chats as messages")
        pairs.append(pair)
    if not pairs:
        raise InputError(f"{path} has no pairs: write one JSON object per line")
    return pairs
