"""Tables of results as pandas, polars and Arrow read them, and what is said without these."""

import sys
from typing import Any

import numpy as np
import pandas
import polars
import pyarrow
import pytest
from drawn_maps import maps_of
from drawn_results import EVERY, agreement_of, comparison, evaluation, per_token, result

from attnscope.errors import MissingExtraError
from attnscope.results.base import TYPES
from attnscope.results.tables import arrow_stream, counts, flags, joined, numbers, texts

HOSTILE = result("nul\0 half\ud800 猫 a", [1.0, -2.0, 0.25, 1e300])


def kinds(columns: dict[str, Any]) -> dict[str, str]:
    return {name: column.dtype.kind for name, column in columns.items()}


def test_columns_keep_what_they_are_given() -> None:
    assert texts(["a\0", None, "\ud800"]).tolist() == ["a\0", None, "\\ud800"]
    np.testing.assert_array_equal(numbers([1, None, 0.5]), [1.0, np.nan, 0.5])
    assert counts([]).dtype == np.int64
    assert flags([True]).tolist() == [True]
    both = joined([{"a": counts([1]), "b": texts(["x"])}, {"a": counts([2, 3]), "b": texts(["y", None])}])
    assert {name: column.tolist() for name, column in both.items()} == {"a": [1, 2, 3], "b": ["x", "y", None]}
    assert joined([]) == {}


def test_words_and_tokens_of_an_attribution() -> None:
    words, tokens = HOSTILE.columns(), HOSTILE.columns("tokens")
    assert words["word"].tolist() == ["nul\0", "half\\ud800", "猫", "a"]
    assert words["score"].tolist() == [w.score for w in HOSTILE.words]
    assert words["scaled"].tolist() == HOSTILE.scaled.tolist()
    assert tokens["token"].tolist() == ["<s>", "nul\0", "half\\ud800", "猫", "a"]
    assert tokens["special"].tolist() == [True, False, False, False, False]
    assert kinds(tokens) == {"token": "O", "start": "i", "end": "i", "score": "f", "special": "b"}


def test_pairs_of_target_and_word() -> None:
    each = per_token(result("a castle on the hill"), 2)
    table = each.columns()
    assert table["target"].tolist() == [0] * 5 + [1] * 5
    assert table["target_token"].tolist() == ["the"] * 5 + ["hill"] * 5
    np.testing.assert_array_equal(table["score"].reshape(2, 5), each.scores)
    np.testing.assert_array_equal(each.columns("tokens")["score"].reshape(2, 6), each.token_scores)


def test_pairs_of_results_that_agree() -> None:
    found = agreement_of()
    table = found.columns()
    assert list(zip(table["one"], table["other"], strict=True)) == [
        ("gradient", "gim"), ("gradient", "random"), ("gim", "random"),
    ]  # fmt: skip
    np.testing.assert_array_equal(table["rank"], [found.rank[0, 1], np.nan, np.nan])
    assert table["overlap"].tolist() == [found.overlap[0, 1], found.overlap[0, 2], found.overlap[1, 2]]


def test_pairs_of_words_with_their_gaps() -> None:
    pair = comparison("the old castle", "the castle")
    table = pair.columns()
    assert table["edit"].tolist() == ["same", "deleted", "same"]
    assert table["left"].tolist() == ["the", "old", "castle"]
    assert table["right"].tolist() == ["the", None, "castle"]
    np.testing.assert_array_equal(np.isnan(table["right_score"]), [False, True, False])
    assert table["left_rank"].tolist() == list(pair.left.ranks)
    many = EVERY["comparisons"]
    assert many.columns()["pair"].tolist() == [0] * len(many.pairs[0].pairs) + [1] * len(many.pairs[1].pairs)
    assert many.columns("attack")["attack"].tolist() == ["—", "typo", "all"]
    assert many.columns("attack")["pairs"].tolist() == [1, 1, 2]


def test_standings_and_rows_of_an_evaluation() -> None:
    run = evaluation()
    table = run.columns()
    assert table["method"].tolist() == [one.method for m in run.metrics for one in run.standings(m)]
    assert np.isnan(table["p"][table["method"] == "random"]).all()
    rows = run.columns("rows")
    assert len(rows["key"]) == len(run.rows)
    assert rows["area"].tolist() == [row.values["area"] for row in run.rows]


def test_heads_of_maps() -> None:
    maps = maps_of("a b c", layers=2, heads=3)
    table = maps.columns()
    assert table["layer"].tolist() == [0, 0, 0, 1, 1, 1]
    assert table["head"].tolist() == [0, 1, 2, 0, 1, 2]
    np.testing.assert_allclose(table["first"], maps.statistics["first"].ravel())


@pytest.mark.parametrize("tag", TYPES)
def test_pandas_reads_every_table(tag: str) -> None:
    one = EVERY[tag]
    for of in one.tables:
        frame, columns = one.to_pandas(of), one.columns(of)
        assert list(frame.columns) == list(columns)
        for name, column in columns.items():
            if column.dtype.kind == "f":
                np.testing.assert_array_equal(frame[name].to_numpy(), column)
            else:
                assert [None if pandas.isna(v) else v for v in frame[name]] == column.tolist()


@pytest.mark.parametrize("tag", TYPES)
def test_polars_reads_every_table_and_the_result_itself(tag: str) -> None:
    one = EVERY[tag]
    frame = polars.DataFrame(one)
    assert frame.columns == list(one.columns())
    for columns, read in [
        (one.columns(), frame),
        *((one.columns(of), polars.DataFrame(one.columns(of))) for of in one.tables),
    ]:
        for name, column in columns.items():
            if column.dtype.kind == "f":
                np.testing.assert_array_equal(read[name].to_numpy(), column)
            else:
                assert read[name].to_list() == column.tolist()
    texts_in = [name for name, column in one.columns().items() if column.dtype.kind == "O"]
    assert all(frame.schema[name] == polars.String for name in texts_in)


def test_hostile_texts_come_through() -> None:
    assert polars.DataFrame(HOSTILE)["word"].to_list() == ["nul\0", "half\\ud800", "猫", "a"]


def test_pyarrow_reads_the_result_itself() -> None:
    assert pyarrow.table(EVERY["comparisons"]).schema.field("task").type == pyarrow.string()
    table = pyarrow.table(HOSTILE)
    assert table["word"].to_pylist() == ["nul\0", "half\\ud800", "猫", "a"]
    assert table["score"].to_pylist() == [w.score for w in HOSTILE.words]


def test_without_pandas_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"needs pandas.*pip install pandas.*columns\(\)"):
        HOSTILE.to_pandas()


def test_without_a_reader_of_arrow_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyarrow", "polars"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"one of pyarrow, polars.*columns\(\)"):
        arrow_stream(HOSTILE.columns())
