"""Head profiles of a corpus: sums of each part, put together into a row per head and statistic."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from attnscope.models.default_settings import default_settings
from attnscope.models.loading.load import Model
from attnscope.results.corpus.head_profiles import STRONGEST, HeadProfiles, HeadSums
from attnscope.results.files.folder import Folder, arrow
from attnscope.studies.heads.head_profiles import add_texts
from attnscope.studies.heads.probes import probed
from attnscope.studies.heads.statistics import Explained
from attnscope.studies.survey.parts import Part

SUMS, HEADS, FILE = "head_sums", "heads", "heads.parquet"


def sums_table(model: Model, part: Part, inputs: dict[int, Any], reading: dict[str, Any], explained: Explained) -> Any:
    """The sums over a part's texts, as a table; an empty one where none can be read."""
    numbers = [part.rows[place].number for place in inputs]
    with default_settings():
        sums = add_texts(model, list(inputs.values()), numbers, reading, explained=explained)
    return _table([] if sums is None else [sums])


def _table(every: Sequence[HeadSums]) -> Any:
    pa = arrow()
    cells = [(one, i, p) for one in every for i in range(len(one.statistics)) for p in range(len(one.places))]
    columns = {
        "layer": pa.array([one.places[p][0] for one, _, p in cells], pa.int32()),
        "head": pa.array([one.places[p][1] for one, _, p in cells], pa.int32()),
        "statistic": pa.array([one.statistics[i] for one, i, _ in cells], pa.string()),
        "texts": pa.array([int(one.count[i, p]) for one, i, p in cells], pa.int64()),
        "mean": pa.array([float(one.mean[i, p]) for one, i, p in cells], pa.float64()),
        "m2": pa.array([float(one.m2[i, p]) for one, i, p in cells], pa.float64()),
        "strongest": pa.array([one.numbers[i, p].tolist() for one, i, p in cells], pa.list_(pa.int64())),
        "values": pa.array([one.values[i, p].tolist() for one, i, p in cells], pa.list_(pa.float64())),
    }
    return pa.table(columns)


def _sums(table: Any) -> HeadSums | None:
    if not len(table):
        return None
    columns = {name: table[name].to_pylist() for name in table.column_names}
    places = tuple(dict.fromkeys(zip(columns["layer"], columns["head"], strict=True)))
    sums = HeadSums(tuple(dict.fromkeys(columns["statistic"])), places)
    shape = sums.count.shape
    sums.count = np.array(columns["texts"], np.int64).reshape(shape)
    sums.mean, sums.m2 = (np.array(columns[name], float).reshape(shape) for name in ("mean", "m2"))
    sums.numbers = np.array(columns["strongest"], np.int64).reshape(*shape, STRONGEST)
    sums.values = np.array(columns["values"], float).reshape(*shape, STRONGEST)
    return sums


def merge_heads(model: Model, folder: Folder) -> None:
    """Write the table of heads: the sums of all parts that are there, in their order, and of the probes."""
    whole: HeadSums | None = None
    parts: Iterator[Any] = folder.tables(SUMS)
    for sums in map(_sums, parts):
        if sums is None:
            continue
        if whole is None:
            whole = sums
        else:
            whole.merge(sums)
    if whole is None:
        return
    every = [whole, *probed(model, whole.places)]
    profiles = HeadProfiles.of(every, {}, {})
    pa = arrow()
    cells = [(i, p) for i in range(len(profiles.statistics)) for p in range(len(profiles.places))]
    columns = {
        "layer": pa.array([profiles.places[p][0] for _, p in cells], pa.int32()),
        "head": pa.array([profiles.places[p][1] for _, p in cells], pa.int32()),
        "statistic": pa.array([profiles.statistics[i] for i, _ in cells], pa.string()),
        **{
            name: pa.array([getattr(profiles, name)[cell] for cell in cells], pa.float64(), from_pandas=True)
            for name in ("mean", "low", "high")
        },
        "texts": pa.array([int(profiles.count[cell]) for cell in cells], pa.int64()),
        "strongest": pa.array([[n for n, _ in profiles.strongest[i][p]] for i, p in cells], pa.list_(pa.int64())),
        "values": pa.array([[v for _, v in profiles.strongest[i][p]] for i, p in cells], pa.list_(pa.float64())),
    }
    folder.write(HEADS, FILE, pa.table(columns))
