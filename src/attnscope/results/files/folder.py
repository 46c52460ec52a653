"""A folder of Parquet files in parts, here or in a bucket: each file is written whole or not at all.

    out/survey.json                     what was asked, of which model
    out/words/000012-5f0c….parquet      part 12, whose content has this hash
    out/texts/000012-5f0c….parquet      the same part; written last, so that a part with this file is done

What an interrupted run leaves is whole files, and files with a dot in front, which no reader of Parquet looks at.
"""

import importlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from attnscope.errors import DamagedFileError, InputError, MissingExtraError, OutputError
from attnscope.results.files.reading import encoded

# Where a written object appears whole, when its stream is closed: there is nothing to rename.
_OBJECT_STORES = ("s3", "gcs", "abfs")


def arrow(module: str = "pyarrow") -> Any:
    """A module of pyarrow. Raises MissingExtraError where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            'a survey is a folder of Parquet files, which needs pyarrow: pip install "attnscope[survey]"'
        ) from error


def file_system(path: str | os.PathLike[str]) -> tuple[Any, str]:
    """The file system of a path or address ("s3://bucket/folder"), and the path in it. Raises InputError."""
    given = os.fspath(path)
    fs = arrow("pyarrow.fs")
    if "://" in given:
        try:
            found, inner = fs.FileSystem.from_uri(given)
        except (OSError, arrow().lib.ArrowException) as error:
            raise InputError(f"{given} is no address that can be reached ({error})") from error
        return found, inner.rstrip("/")
    return fs.LocalFileSystem(), str(Path(given).expanduser().absolute())


class Folder:
    """A folder of tables in parts. path: a folder, or an address that pyarrow's file systems understand."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._fs, self._root = file_system(path)

    def names(self, of: str) -> list[str]:
        """The files of a table, in the order of their parts."""
        found = [info.base_name for info in self._infos(of) if info.extension == "parquet"]
        return sorted(name for name in found if not name.startswith("."))

    def is_empty(self) -> bool:
        """Whether there is nothing in the folder that shows, or no folder."""
        return all(info.base_name.startswith(".") for info in self._infos(""))

    def table(self, of: str, name: str, columns: Sequence[str] | None = None) -> Any:
        """One file as an arrow table. Raises DamagedFileError."""
        try:
            with self._fs.open_input_file(f"{self._root}/{of}/{name}") as file:
                return arrow("pyarrow.parquet").read_table(file, columns=None if columns is None else list(columns))
        except (OSError, arrow().lib.ArrowException) as error:
            raise DamagedFileError(f"{self.path}/{of}/{name} cannot be read ({error})") from error

    def tables(self, of: str, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """The tables of the parts that are done, one after the other."""
        done = set(self.names("texts"))
        yield from (self.table(of, name, columns) for name in self.names(of) if name in done)

    def write(self, of: str, name: str, table: Any) -> None:
        """Write one file of a table, whole or not at all."""

        stream = arrow().BufferOutputStream()
        arrow("pyarrow.parquet").write_table(table, stream, compression="zstd")
        self._write(f"{self._root}/{of}", name, stream.getvalue())

    def json(self, name: str) -> Any:
        """What is in a JSON file; None where there is none. Raises DamagedFileError."""
        try:
            with self._fs.open_input_stream(f"{self._root}/{name}") as file:
                return json.loads(file.read())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise DamagedFileError(f"{self.path}/{name} cannot be read ({error})") from error

    def write_json(self, name: str, data: Mapping[str, Any]) -> None:
        """Write a JSON file, whole or not at all."""
        document = json.dumps(data, ensure_ascii=False, indent=1)
        self._write(self._root, name, encoded(document))

    def unfinished(self) -> dict[str, list[str]]:
        """What killed runs have begun of files and not finished, by the names that these were to have."""
        found: dict[str, list[str]] = {}
        for of in ("", "words", "texts", "heads", "head_sums"):
            for info in self._infos(of):
                if info.base_name.startswith(".") and info.is_file:
                    found.setdefault(info.base_name[1:].rpartition(".")[0], []).append(info.path)
        return found

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files, if they are still there."""
        for path in paths:
            with suppress(FileNotFoundError):
                self._fs.delete_file(path)

    def _infos(self, of: str) -> Any:
        fs = arrow("pyarrow.fs")
        return self._fs.get_file_info(fs.FileSelector(f"{self._root}/{of}".rstrip("/"), allow_not_found=True))

    def _write(self, folder: str, name: str, content: Any) -> None:
        # The content is whole before the file is opened: an object store makes an object of whatever was written when
        # the stream is closed, after an error too.
        whole = f"{folder}/{name}"
        direct = self._fs.type_name in _OBJECT_STORES
        part = whole if direct else f"{folder}/.{name}.{uuid.uuid4().hex[:8]}"
        try:
            self._fs.create_dir(folder, recursive=True)
            with self._fs.open_output_stream(part) as stream:
                stream.write(content)
            if not direct:
                self._fs.move(part, whole)
        except OSError as error:
            raise OutputError(f"cannot write {whole}: {error}") from error
