"""The same rows from every kind of file, frame and iterable."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attnscope.errors import InputError
from attnscope.studies.survey.reading import count_of, files_of, rows_of
from attnscope.studies.survey.rows import Columns

TEXTS = ["A good film.", 'He said "no",\nand left.', "日本の城"]
TABLE = {"text": TEXTS, "stars": [5, 1, 3]}
COLUMNS = Columns(keep=("stars",))


def _files(folder: Path) -> dict[str, Path]:
    paths = {suffix: folder / f"reviews{suffix}" for suffix in (".csv", ".tsv", ".jsonl", ".json", ".parquet")}
    frame = pd.DataFrame(TABLE)
    frame.to_csv(paths[".csv"], index=False)
    frame.to_csv(paths[".tsv"], index=False, sep="\t")
    frame.to_json(paths[".jsonl"], orient="records", lines=True, force_ascii=False)
    paths[".json"].write_text(frame.to_json(orient="records", force_ascii=False))
    frame.to_parquet(paths[".parquet"])
    return paths


class DataSet:
    """As a datasets.IterableDataset: mappings, anew in every loop."""

    def __iter__(self) -> Iterator[dict[str, object]]:
        return (dict(zip(TABLE, values, strict=True)) for values in zip(*TABLE.values(), strict=True))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".json", ".parquet"])
def test_files(tmp_path: Path, suffix: str) -> None:
    path = _files(tmp_path)[suffix]
    for given in (path, str(path), f"file://{path}"):
        rows = list(rows_of(given, COLUMNS))
        assert [row.text for row in rows] == TEXTS
        assert [int(row.kept["stars"]) for row in rows] == [5, 1, 3]
        assert [row.number for row in rows] == [0, 1, 2]
    assert count_of(path) == 3


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame(TABLE), pd.DataFrame(TABLE, index=["a", "b", "c"]), pl.DataFrame(TABLE), pl.LazyFrame(TABLE),
        pa.table(TABLE), TABLE, DataSet(), list(DataSet()), iter(DataSet()),
    ],
    ids=["pandas", "indexed", "polars", "lazy", "arrow", "columns", "data set", "list", "generator"],
)  # fmt: skip
def test_frames_and_iterables(data: object) -> None:
    rows = list(rows_of(data, COLUMNS))
    assert [(row.text, row.kept["stars"]) for row in rows] == list(zip(*TABLE.values(), strict=True))


@pytest.mark.parametrize("series", [pd.Series, pl.Series, lambda some: pa.chunked_array([some])])
def test_a_single_column_is_its_texts(series: Any) -> None:
    rows = list(rows_of(series([*TEXTS, None]), Columns()))
    assert [row.text for row in rows] == [*TEXTS, ""]
    assert rows[-1].error == "there is no text"


def test_a_stream_has_no_count() -> None:
    assert count_of(iter(TEXTS)) is None
    assert count_of(DataSet()) is None
    assert count_of(TABLE) == count_of(TEXTS) == count_of(pd.DataFrame(TABLE)) == 3


def test_lines_of_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("﻿One\n\nTwo\r\n", encoding="utf-8")
    assert [row.text for row in rows_of(tmp_path / "texts.txt", Columns())] == ["One", "Two"]


def test_folders_and_patterns_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b/2.jsonl", "a/1.jsonl", "a/.hidden.jsonl", "_temporary/0.jsonl", "a/notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps({"text": name}))
    both = ["a/1.jsonl", "b/2.jsonl"]
    assert [row.text for row in rows_of(tmp_path, Columns())] == both
    assert [row.text for row in rows_of(f"{tmp_path}/*/*.jsonl", Columns())] == both
    assert [row.text for row in rows_of(f"{tmp_path}/**/*.jsonl", Columns())] == both
    assert [row.text for row in rows_of(f"{tmp_path}/a/*", Columns())] == ["a/1.jsonl"]


def test_a_stream_is_read_no_further_than_asked(tmp_path: Path) -> None:
    path = tmp_path / "long.parquet"
    pq.write_table(pa.table({"text": [f"text {i}" for i in range(5000)]}), path, row_group_size=1000)
    rows = rows_of(path, Columns())
    assert next(rows).text == "text 0"

    def endless() -> Iterator[str]:
        while True:
            yield "again"

    assert next(rows_of(endless(), Columns())).text == "again"


def test_a_line_that_cannot_be_read_is_a_row_with_its_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n{broken\n{"text": "three"}\n')
    (tmp_path / "a.csv").write_text("text,stars\none,1\ntwo,2,3\nthree,3\n")
    for name in ("a.jsonl", "a.csv"):
        one, two, three = rows_of(tmp_path / name, Columns())
        assert (one.text, three.text) == ("one", "three")
        assert two.error is not None
        assert name in two.error


def test_what_is_no_corpus_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("x")
    (tmp_path / "bad.parquet").write_text("x")
    (tmp_path / "bad.csv").write_bytes("text\nHöhe\n".encode("utf-16"))
    for given, message in (
        (tmp_path / "none.csv", "there is no"),
        (tmp_path / "a.md", "unknown kind"),
        (tmp_path / "bad.parquet", "no Parquet file"),
        (tmp_path / "bad.csv", "UTF-8"),
        (f"{tmp_path}/*.jsonl", "no file of texts"),
        (5, "is no corpus"),
        ({"text": 5}, "columns of one length"),
        ({"text": ["a"], "stars": []}, "columns of one length"),
    ):
        with pytest.raises(InputError, match=message):
            list(rows_of(given, Columns()))
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="no column 'body'"):
        list(rows_of(tmp_path / "a.parquet", Columns(text="body")))
    assert files_of(tmp_path / "a.parquet")[0][1].endswith("a.parquet")


def test_a_line_that_is_not_utf_8_is_a_row_with_its_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'text,stars\none,1\n"caf\xe9,\nbar",2\nth\xc3\xa9,3\n')
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "one"}\n{"text": "caf\xe9"}\n{"text": "th\xc3\xa9"}\n')
    (tmp_path / "a.txt").write_bytes(b"one\ncaf\xe9\nth\xc3\xa9\n")
    for name in ("a.csv", "a.jsonl", "a.txt"):
        one, two, three = rows_of(tmp_path / name, Columns())
        assert (one.text, three.text) == ("one", "thé")
        assert two.error is not None
        assert two.error.endswith(f"{name} is not UTF-8")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**/a/*.txt", ["a/1.txt", "b/a/3.txt"]),
        ("a/**/*.txt", ["a/1.txt", "a/c/2.txt"]),
        ("**", ["1.txt", "a/1.txt", "a/c/2.txt", "b/a/3.txt"]),
        ("a*/*.txt", ["a/1.txt"]),
        ("**/[23].txt", ["a/c/2.txt", "b/a/3.txt"]),
    ],
)
def test_a_pattern_means_the_files_of_its_folders_only(tmp_path: Path, pattern: str, found: list[str]) -> None:
    for name in ("1.txt", "a/1.txt", "a/c/2.txt", "b/a/3.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(name)
    assert [row.text for row in rows_of(f"{tmp_path}/{pattern}", Columns())] == found


@pytest.mark.parametrize("address", ["nowhere://bucket/reviews", "nowhere://bucket/*.csv?region=eu", "file://a b?x=*"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="no address that can be reached"):
        files_of(address)


def test_the_options_of_an_address_are_no_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ? is a pattern's sign and begins an address's options."""
    asked: list[str] = []

    def opened(address: str) -> tuple[object, str]:
        asked.append(address)
        raise InputError("seen")

    monkeypatch.setattr("attnscope.studies.survey.reading.file_system", opened)
    for given in ("s3://b/reviews?region=eu", "s3://b/r/*.csv?region=eu&scheme=http", "s3://b/r/?.csv?region=eu"):
        with pytest.raises(InputError, match="seen"):
            files_of(given)
    assert asked == ["s3://b/reviews?region=eu", "s3://b/r?region=eu&scheme=http", "s3://b/r?region=eu"]
