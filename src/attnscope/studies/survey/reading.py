"""Rows of a corpus, one after the other, whatever it is: files, a data set, a frame, any iterable.

    "reviews.parquet", "part-*.jsonl", "folder/", "s3://bucket/folder"      .csv .tsv .jsonl .ndjson .json .parquet .txt
    datasets.Dataset, IterableDataset; pandas, polars, pyarrow tables       none of these libraries is imported for it
    an iterable of texts, of chats, of mappings with columns

Files are read as a stream, in the order of their names: memory holds one batch of rows.
"""

import csv
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from attnscope.errors import InputError
from attnscope.results.files.folder import arrow, file_system
from attnscope.studies.survey.rows import Columns, Row, row_of

_BATCH = 1024
_OPTIONS = re.compile(r"\?\w+=[^?]*$")


def rows_of(data: Any, columns: Columns) -> Iterator[Row]:
    """The rows of a corpus. Raises InputError for what is none, and for a column that it does not have."""
    for number, given in enumerate(_records(data, columns.named)):
        yield row_of(given, number, columns)


def count_of(data: Any) -> int | None:
    """How many rows there are; None where finding out would mean reading a bucket or a stream to its end.

    To read files of this machine takes next to no time beside explaining what is in them.
    """
    if isinstance(data, str | os.PathLike):
        count = 0
        for fs, path in files_of(data):
            if _suffix(path) == ".parquet":
                count += int(_parquet(fs, path).metadata.num_rows)
            elif fs.type_name == "local":
                count += sum(1 for _ in _READERS[_suffix(path)](fs, path, []))
            else:
                return None
        return count
    if isinstance(data, Mapping):
        data = next(iter(data.values()), ())
    return len(data) if hasattr(data, "__len__") else None


def _records(data: Any, needed: list[str]) -> Iterator[Any]:
    if isinstance(data, str | os.PathLike):
        for fs, path in files_of(data):
            yield from _READERS[_suffix(path)](fs, path, needed)
        return
    if hasattr(data, "collect") and not hasattr(data, "__arrow_c_stream__"):
        data = data.collect()  # a lazy frame of polars
    if isinstance(data, Mapping):
        data = _table(data)
    if hasattr(data, "__arrow_c_stream__"):
        try:
            reader = arrow().RecordBatchReader.from_stream(data)
        except arrow().ArrowInvalid:
            # A single column, such as a Series.
            yield from arrow().chunked_array(data).to_pylist()
            return
        for batch in reader:
            for start in range(0, len(batch), _BATCH):
                yield from batch.slice(start, _BATCH).to_pylist()
        return
    if not isinstance(data, Iterable):
        raise InputError(
            f"a {type(data).__name__} is no corpus: give a file, a folder, a data set, a frame or an iterable of texts"
        )
    yield from data


def _table(columns: Mapping[Any, Any]) -> Any:
    """The table of a mapping of columns. Raises InputError where it is none."""
    try:
        return arrow().table({name: list(column) for name, column in columns.items()})
    except (TypeError, ValueError) as error:
        raise InputError(f"a mapping is read as columns of one length each, and this is none ({error})") from error


def files_of(data: str | os.PathLike[str]) -> list[tuple[Any, str]]:
    """The files that a path, a pattern, a folder or an address means, sorted, each with its file system.

    Raises InputError where there is none, or none of a known kind.
    """
    given = os.fspath(data)
    fs = arrow("pyarrow.fs")
    # An address may end with options of its file system: s3://bucket/reviews?region=eu-central-1.
    found_options = _OPTIONS.search(given) if "://" in given else None
    options = found_options.group() if found_options else ""
    place = given.removesuffix(options)
    stem, pattern = given, None
    if any(sign in place for sign in "*?["):
        parts = place.replace(os.sep, "/").split("/")
        first = next(i for i, part in enumerate(parts) if any(sign in part for sign in "*?["))
        stem, pattern = "/".join(parts[:first]) or ("/" if given.startswith("/") else "."), "/".join(parts[first:])
        stem += options
    system, path = file_system(stem)
    info = system.get_file_info(path)
    if info.type == fs.FileType.NotFound:
        raise InputError(f"there is no {given}: give a file, a pattern such as reviews-*.parquet, or a folder")
    if info.type == fs.FileType.File:
        found = [path]
    else:
        entries = system.get_file_info(fs.FileSelector(path, recursive=True))
        inside = {entry.path: entry.path[len(path) :].lstrip("/") for entry in entries if entry.is_file}
        hidden = [whole for whole, name in inside.items() if any(part[0] in "._" for part in name.split("/"))]
        found = [whole for whole, name in inside.items() if whole not in hidden]
        found = [whole for whole in found if pattern is None or _matches(inside[whole], pattern)]
        known = [whole for whole in found if _suffix(whole) in _READERS]
        if not known:
            raise InputError(f"{given} has no file of texts: expected {', '.join(_READERS)}")
        found = known
    for one in found:
        if _suffix(one) not in _READERS:
            raise InputError(f"{one} is of an unknown kind: expected {', '.join(_READERS)}")
    return [(system, one) for one in sorted(found)]


def _matches(name: str, pattern: str) -> bool:
    """Whether each folder of a name matches its part of the pattern; ** is any number of folders."""
    return _match(name.split("/"), pattern.split("/"))


def _match(names: Sequence[str], parts: Sequence[str]) -> bool:
    if not parts:
        return not names
    if parts[0] == "**":
        return any(_match(names[skipped:], parts[1:] or ["*"]) for skipped in range(len(names) + 1))
    return bool(names) and fnmatch(names[0], parts[0]) and _match(names[1:], parts[1:])


def _suffix(path: str) -> str:
    return Path(path).suffix.lower()


def _parquet(system: Any, path: str) -> Any:
    try:
        return arrow("pyarrow.parquet").ParquetFile(system.open_input_file(path))
    except (arrow().lib.ArrowException, OSError) as error:
        raise InputError(f"{path} is no Parquet file that can be read ({error})") from error


def _parquet_rows(system: Any, path: str, needed: list[str]) -> Iterator[Any]:
    file = _parquet(system, path)
    have = file.schema_arrow.names
    if missing := [name for name in needed if name not in have]:
        raise InputError(f"{path} has no column {missing[0]!r}; it has {', '.join(map(repr, have))}")
    for batch in file.iter_batches(_BATCH):
        yield from batch.to_pylist()


def _text_of(system: Any, path: str) -> io.TextIOBase:
    """A file of text. Bytes that are not UTF-8 come as surrogates: only the rows that have them are errors."""
    stream = system.open_input_stream(path)
    return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _not_utf8(given: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in given) if not given.isascii() else False


def _csv_rows(system: Any, path: str, _needed: list[str]) -> Iterator[Any]:
    csv.field_size_limit(sys.maxsize if sys.maxsize < 2**31 else 2**31 - 1)
    try:
        with _text_of(system, path) as file:
            reader = csv.DictReader(file, delimiter="\t" if _suffix(path) == ".tsv" else ",")
            if any(map(_not_utf8, reader.fieldnames or ())):
                raise InputError(f"{path} is not CSV in UTF-8: save it as UTF-8")
            for row in reader:
                if None in row:
                    yield InputError(f"line {reader.line_num} of {path} has more cells than the table has columns")
                elif any(map(_not_utf8, filter(None, row.values()))):
                    yield InputError(f"line {reader.line_num} of {path} is not UTF-8")
                else:
                    yield row
    except csv.Error as error:
        raise InputError(f"{path} is not CSV ({error})") from error


def _json_rows(system: Any, path: str, _needed: list[str]) -> Iterator[Any]:
    for number, line in _numbered(system, path):
        try:
            yield line if isinstance(line, Exception) else json.loads(line)
        except ValueError as error:
            yield InputError(f"line {number} of {path} is not JSON ({error})")


def _json_document(system: Any, path: str, needed: list[str]) -> Iterator[Any]:
    """The elements of an array; else the lines."""
    with _text_of(system, path) as file:
        array = file.read(1000).lstrip().startswith("[")
    if not array:
        yield from _json_rows(system, path, needed)
        return
    try:
        with _text_of(system, path) as file:
            yield from json.load(file)
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error})") from error


def _lines(system: Any, path: str, _needed: list[str]) -> Iterator[Any]:
    yield from (line for _, line in _numbered(system, path))


def _numbered(system: Any, path: str) -> Iterator[tuple[int, str | InputError]]:
    """The lines that are not empty, with their numbers; of one that is not UTF-8 the error."""
    with _text_of(system, path) as file:
        for number, line in enumerate(file, 1):
            if _not_utf8(line):
                yield number, InputError(f"line {number} of {path} is not UTF-8")
            elif line.strip():
                yield number, line.rstrip("\r\n")


_READERS: dict[str, Callable[[Any, str, list[str]], Iterator[Any]]] = {
    ".parquet": _parquet_rows,
    ".csv": _csv_rows,
    ".tsv": _csv_rows,
    ".jsonl": _json_rows,
    ".ndjson": _json_rows,
    ".json": _json_document,
    ".txt": _lines,
}
