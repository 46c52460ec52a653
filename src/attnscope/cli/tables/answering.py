"""One text or many: a command's texts come from a table or from lines, and its results go to a table or to pages."""

import json as json_module
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import IO, Any

import typer

import attnscope
from attnscope.cli import options
from attnscope.cli.spoken import tell
from attnscope.cli.tables.reading import Item, items_of
from attnscope.render import print_result
from attnscope.results.attribution import Attribution
from attnscope.results.base import Result
from attnscope.results.collection import Failed, Results
from attnscope.results.files.writing import not_written, write_atomically
from attnscope.translation import in_locale

# Texts that are written together, at most, and the seconds that they should take: what is stopped loses no more.
_TOGETHER = 64
_SECONDS = 2.0


def answer(
    source: options.Source,
    loading: options.Loading,
    look: options.Look,
    output: Path | None,
    json: bool,
    method: str,
    parameters: Mapping[str, Any],
    kind: type[Result] = Attribution,
) -> None:
    """Explain the text or the texts, and write or print what comes out."""
    asked = {**source.reading(), **parameters}
    asked = {name: value for name, value in asked.items() if value is not None}
    if source.many:
        _answer_many(items_of(source), loading, look, output, json, method, asked)
        return
    options.check_output(output, kind)
    text = source.read()
    options.show(attnscope.explain(loading.load(), text, method=method, **asked), output, json, look)


def _answer_many(
    items: Sequence[Item],
    loading: options.Loading,
    look: options.Look,
    output: Path | None,
    json: bool,
    method: str,
    asked: dict[str, Any],
) -> None:
    from attnscope.methods.calls.advice import advice_once
    from attnscope.methods.calls.auto import AUTO, chosen
    from attnscope.methods.request import SHARED
    from attnscope.models.progress import bar
    from attnscope.render.many import checked_output

    path = None if output is None else checked_output(output)
    model = loading.load()
    shared = asked.pop("target", None)
    if method == AUTO:
        # Once for all, so that the scores of a table mean the same, however its texts come together.
        method, own = chosen(model, [item.text for item in items], _given(items, asked, shared))
        asked = {name: value for name, value in asked.items() if name != "budget"}
        asked |= {name: value for name, value in own.items() if name not in SHARED}
    failed = 0
    with advice_once(), _writer(path, json, look, len(items)) as write, bar("texts", len(items)) as done:
        first, size = 0, 1
        while first < len(items):
            begun = monotonic()
            part = items[first : first + size]
            given = _given(part, asked, shared)
            results = attnscope.explain(model, [item.text for item in part], method, on_error="keep", **given)
            hashes = Results(results).ids
            ids = [own if item.id is None else item.id for item, own in zip(part, hashes, strict=True)]
            write(Results(results, ids, first))
            failed += sum(isinstance(result, Failed) for result in results)
            done(len(part))
            first += len(part)
            size = min(2 * size, _TOGETHER) if monotonic() - begun < _SECONDS else max(size // 2, 1)
    if path is not None:
        tell("wrote {path}", path=path)
    if failed:
        tell("{failed} of {count} texts failed; their rows say why", failed=failed, count=len(items))
        raise typer.Exit(1)


def _given(items: Sequence[Item], asked: Mapping[str, Any], shared: str | None) -> dict[str, Any]:
    """The parameters of these texts; what only some have is a list."""
    given = dict(asked)
    targets = [shared if item.target is None else item.target for item in items]
    if any(target is not None for target in targets):
        given["target"] = targets
    if any(item.text_pair is not None for item in items):
        given["text_pair"] = [item.text_pair or asked.get("text_pair") for item in items]
    if any(item.similar_to is not None for item in items):
        given["similar_to"] = [item.similar_to or asked.get("similar_to") for item in items]
    return given


@contextmanager
def _writer(path: Path | None, json: bool, look: options.Look, count: int) -> Iterator[Any]:
    """A function that takes results as they come. What an interrupted run leaves is whole rows or whole pages."""
    if path is None:
        yield _print_json if json else _print
    elif path.is_dir() or not path.suffix:
        with _pages(path, look, count) as write:
            yield write
    else:
        with _table(path) as write:
            yield write


@contextmanager
def _pages(path: Path, look: options.Look, count: int) -> Iterator[Any]:
    from attnscope.render.many import index, page_names, save_page

    every: list[Any] = []
    ids: list[str] = []
    names = page_names(count)
    how = {name: value for name, value in look.given().items() if name != "font"}
    with not_written(path):
        path.mkdir(exist_ok=True)

    def write(results: Results[Any]) -> None:
        for name, result in zip(names[len(every) :], results, strict=False):
            save_page(path, name, result, how)
        every.extend(results)
        ids.extend(results.ids)

    try:
        yield write
    finally:
        write_atomically(path / "index.html", index(Results(every, ids), how.get("dark"), names, how.get("lang")))


@contextmanager
def _table(path: Path) -> Iterator[Any]:
    """Rows go to a file beside it, which takes its name when all are there."""
    from attnscope.render.many import TABLES

    renderer = TABLES[path.suffix.lower()].load()
    part = path.with_name(f"{path.name}.part")
    waiting: list[Any] = []
    ids: list[str] = []
    begun = False

    def flush(file: IO[bytes]) -> None:
        nonlocal begun
        if not ids:
            return
        rows = renderer(Results(waiting, ids, first))
        # Of CSV, the names stand once.
        file.write(rows.split(b"\n", 1)[1] if begun and path.suffix.lower() == ".csv" else rows)
        file.flush()
        begun = True
        waiting.clear()
        ids.clear()

    first = 0
    with not_written(part), part.open("wb") as file:

        def write(results: Results[Any]) -> None:
            nonlocal first
            first = first if ids else results.first
            waiting.extend(results)
            ids.extend(results.ids)
            # Rows of nothing but failures do not know the table's columns; a Parquet file is written at once.
            if path.suffix.lower() != ".parquet" and (begun or not all(isinstance(one, Failed) for one in waiting)):
                flush(file)

        try:
            yield write
        except BaseException:
            flush(file)
            tell("the rows so far are in {part}", part=part)
            raise
        flush(file)
    with not_written(path):
        part.replace(path)


def _print_json(results: Results[Any]) -> None:
    """A JSON object for each text."""
    for place, (own, result) in enumerate(zip(results.ids, results, strict=True)):
        head: dict[str, Any] = {"id": own, "number": results.first + place}
        if isinstance(result, Failed):
            body = {"text": result.text, "error": str(result)}
        else:
            body = json_module.loads(result.to_json())
        sys.stdout.write(json_module.dumps({**head, **body}, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _print(results: Results[Any]) -> None:
    for place, result in enumerate(results):
        sys.stdout.write(f"{'' if results.first + place == 0 else chr(10)}— text {results.first + place}\n")
        sys.stdout.flush()
        if isinstance(result, Failed):
            sys.stdout.write(f"{result.error}: {in_locale(result.message)}\n")
        else:
            print_result(result)
