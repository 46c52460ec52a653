"""Sums of a part come back from their table as they were."""

import numpy as np
import pyarrow as pa

import attnscope as ats
from attnscope.results.corpus.head_profiles import HeadSums
from attnscope.studies.heads.statistics import Explained
from attnscope.studies.survey.heads import _sums, _table, sums_table
from attnscope.studies.survey.parts import Part
from attnscope.studies.survey.rows import Columns, row_of


def test_a_table_of_sums_keeps_every_bit() -> None:
    sums = HeadSums(("entropy", "first"), ((0, 0), (1, 0), (1, 1)))
    for number in range(5):
        sums.add(np.random.default_rng(number).random((2, 3)), number)
    back = _sums(_table([sums]))
    assert back is not None
    for name in ("count", "mean", "m2", "numbers", "values"):
        np.testing.assert_array_equal(getattr(back, name), getattr(sums, name))
    assert (back.statistics, back.places) == (sums.statistics, sums.places)


def test_a_part_without_texts_has_an_empty_table(model: ats.Model) -> None:
    part = Part(0, (row_of("", 7, Columns()), row_of("a b", 8, Columns())))
    assert _sums(sums_table(model, part, {0: ""}, {}, Explained())) is None
    table = sums_table(model, part, {0: "", 1: "a b"}, {}, Explained())
    assert isinstance(table, pa.Table)
    assert set(table["texts"].to_pylist()) == {1}
    assert table["strongest"].to_pylist()[0] == [8, -1, -1]
