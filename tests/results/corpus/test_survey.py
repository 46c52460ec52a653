"""A survey's folder is read part by part, by us and by everybody."""

import json
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import attnscope as ats
from attnscope.errors import DamagedFileError, InputError
from attnscope.results.files.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = Folder(tmp_path)
    about = {"schema": 2, "type": "survey", "settings": {"methods": [["gradient", {}]]}, "provenance": {"model": "m"}}
    made.write_json("survey.json", {**about, "parts": 2, "texts": 3})
    for number, (words, errors) in enumerate([(["a", "b"], [None, None]), (["c"], ["TextError: empty"])]):
        name = f"{number:06d}-x.parquet"
        made.write("words", name, pa.table({"word": words, "score": [1.0] * len(words)}))
        made.write("texts", name, pa.table({"id": ["t"] * len(errors), "error": pa.array(errors, pa.string())}))
    return tmp_path


def test_the_tables_of_a_folder(folder: Path) -> None:
    survey = ats.load_result(folder)
    assert isinstance(survey, ats.Survey)
    assert survey.words()["word"].to_pylist() == ["a", "b", "c"]
    assert survey.words(["word"]).column_names == ["word"]
    assert len(survey.texts()) == 3
    assert survey.heads().num_rows == 0
    assert [len(part) for part in survey.tables("texts")] == [2, 1]
    assert (survey.failed, survey.complete) == (1, True)
    assert isinstance(survey.to_pandas("texts"), pd.DataFrame)
    assert pl.DataFrame(survey)["word"].to_list() == ["a", "b", "c"]
    assert survey.provenance == {"model": "m"}
    assert "gradient; 2 of 2 parts" in repr(survey)


def test_a_part_that_is_missing_shows(folder: Path) -> None:
    (folder / "texts/000001-x.parquet").unlink()
    survey = ats.load_result(f"file://{folder}")
    assert not survey.complete
    assert survey.words()["word"].to_pylist() == ["a", "b"]


def test_what_is_no_survey_is_refused(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(FileNotFoundError, match="no survey's folder"):
        ats.load_result(tmp_path_factory.mktemp("empty"))
    (folder / "survey.json").write_text(json.dumps({"type": "other"}))
    with pytest.raises(DamagedFileError, match=r"survey\.json"):
        ats.load_result(folder)


@pytest.mark.parametrize("ask", ["to_pandas", "tables"])
def test_an_unknown_table_is_refused(folder: Path, ask: str) -> None:
    with pytest.raises(InputError, match="words, texts, heads"):
        getattr(ats.load_result(folder), ask)("tokens")
