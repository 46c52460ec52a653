"""The call: columns, methods, parameters, and what other tools read of its tables."""

import re
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest

import attnscope as ats

DOCS = Path(__file__).parents[3] / "docs" / "survey.md"


@pytest.fixture
def made(model: ats.Model, tmp_path: Path) -> ats.Survey:
    table = pd.DataFrame(
        {"body": ["a b c", "c d", "", "e f a"], "right": [" b", " c", " b", " c"], "stars": [1, 2, 3, 4]}
    )
    table.to_parquet(tmp_path / "reviews.parquet")
    return ats.survey(
        model, tmp_path / "reviews.parquet", ["gradient", ("integrated_gradients", {"steps": 4})], to=tmp_path / "out",
        labels=[" b", " c"], text_column="body", gold_column="right", keep=["stars"], part_texts=3, heads=True,
    )  # fmt: skip


def test_the_tables_of_a_call(made: ats.Survey) -> None:
    texts = made.to_pandas("texts")
    assert texts.stars.tolist() == [1, 2, 3, 4]
    assert texts.gold.tolist() == [" b", " c", " b", " c"]
    assert texts.number.tolist() == [0, 1, 2, 3]
    assert made.failed == 1
    words = made.to_pandas("words")
    assert set(words.method) == {"gradient", "integrated_gradients"}
    assert made.settings["methods"] == [["gradient", {}], ["integrated_gradients", {"steps": 4}]]
    assert made.about["texts"] == 4
    assert ats.load_result(made.path).words().equals(made.words())


def test_other_tools_read_the_tables_as_they_are(made: ats.Survey) -> None:
    assert pd.read_parquet(f"{made.path}/words").score.tolist() == made.words()["score"].to_pylist()
    assert pl.read_parquet(f"{made.path}/texts/*.parquet").height == 4
    counted = duckdb.sql(f"SELECT count(*) FROM '{made.path}/words/*.parquet'").fetchall()
    assert counted == [(len(made.words()),)]


def test_the_queries_of_the_docs_run(made: ats.Survey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(made.path).parent)
    queries = re.findall(r"```sql\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert len(queries) >= 2
    for query in queries:
        duckdb.sql(query).fetchall()


def test_the_schema_of_the_docs_is_that_of_the_tables(made: ats.Survey) -> None:
    document = DOCS.read_text("utf-8")
    for of in ("words", "texts", "heads"):
        section = document.split(f"**{of}/**")[1].split("\n\n", 2)[1]
        names = re.findall(r"^\| `(\w+)`", section, re.MULTILINE)
        assert names == [name for name in getattr(made, of)().column_names if name != "stars"]
