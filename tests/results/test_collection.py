"""The results of many texts as one table."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from drawn_results import result

from attnscope.errors import InputError
from attnscope.results.collection import Failed, Results
from attnscope.results.per_token import PerToken, TargetToken

FAILED = Failed("", "TextError", "the text is empty")


def test_it_is_a_list_and_a_table() -> None:
    first, second = result("a b"), result("c d e")
    many = Results([first, FAILED, second])
    assert isinstance(many, list)
    assert many.failures == {1: FAILED}
    table = many.to_pandas()
    assert table["number"].tolist() == [0, 0, 1, 2, 2, 2]
    assert table["score"].tolist()[:2] == first.scores.tolist()
    assert table["error"].dropna().tolist() == ["TextError: the text is empty"]
    assert table[table["number"] == 1][["word", "score", "scaled"]].isna().all().all()
    assert pl.DataFrame(many.columns()).shape == table.shape
    assert {"token", "special"} <= set(many.columns("tokens"))


def test_rows_of_two_runs_are_joined_by_their_ids() -> None:
    one, other = result("a b"), result("c d")
    whole = Results([one, other]).to_pandas()
    shards = [Results([one]).to_pandas(), Results([other], first=1).to_pandas()]
    pd.testing.assert_frame_equal(whole, pd.concat(shards, ignore_index=True))
    assert whole["id"].nunique() == 2
    assert Results([one], ["mine"]).to_pandas()["id"].tolist() == ["mine"] * 2
    with pytest.raises(InputError, match="1 ids were given for 2 results"):
        Results([one, other], ["mine"])


def test_every_text_failed_or_none_is_there() -> None:
    assert len(Results([FAILED, FAILED]).to_pandas()) == 2
    assert Results([]).columns() == {}


def test_different_kinds_and_lists_of_lists_are_no_table() -> None:
    one = result("a b")
    rows = PerToken(one, (TargetToken("b", 1, -1.0),), np.ones((1, len(one.tokens))), np.ones((1, len(one.words))))
    assert "target_token" in Results([rows]).columns()
    with pytest.raises(InputError, match="different tables"):
        Results([one, rows]).columns()
    with pytest.raises(InputError, match="list of queries"):
        Results([[one, one]]).columns()
