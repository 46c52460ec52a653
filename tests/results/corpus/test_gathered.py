"""What is gathered does not depend on the order in which it comes; turns of one role are one kind."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from attnscope.results.corpus.gathered import Gathered
from attnscope.results.corpus.summary import SurveySummary
from attnscope.results.corpus.survey import Survey
from attnscope.results.files.folder import Folder


def test_scores_by_part_of_the_text(tmp_path: Path) -> None:
    """Turns of one role are one kind; a word in no part is in none."""
    names = ["1 user", "2 assistant", "3 user", None]
    folder = Folder(tmp_path)
    settings = {"methods": [["gradient", {}]]}
    folder.write_json("survey.json", {"schema": 3, "type": "survey", "settings": settings, "provenance": {}})
    words = [
        {"number": number, "word": "x", "start": place, "end": place + 1, "score": (-1.0) ** place * (place + number),
         "method": "gradient", "segment": name, "rationale": None}
        for number in range(6) for place, name in enumerate(names)
    ]  # fmt: skip
    texts = [
        {"number": n, "text": "xxxx", "prediction": None, "gold": None, "probability": None, "error": None}
        for n in range(6)
    ]
    folder.write("words", "000000-x.parquet", pa.Table.from_pylist(words))
    folder.write("texts", "000000-x.parquet", pa.Table.from_pylist(texts))
    summary = Survey.load(tmp_path).summary()
    user, assistant = summary.spread_by("gradient", "segment")
    assert (user.name, user.words, user.texts) == ("user", 12, 6)
    assert (assistant.name, assistant.words, assistant.texts) == ("assistant", 6, 6)
    assert assistant.quartiles == pytest.approx(np.quantile(np.arange(1.0, 7.0), (0.25, 0.5, 0.75)).tolist())
    assert user.mean == pytest.approx(3.5)
    assert SurveySummary.from_json(summary.to_json()).spread == summary.spread


def test_the_same_folder_gives_the_same_intervals_each_time(tmp_path: Path) -> None:
    """Many parts, which several threads would put together in whichever order they are done."""
    folder, random = Folder(tmp_path), np.random.default_rng(0)
    settings = {"methods": [["gradient", {}]]}
    folder.write_json("survey.json", {"schema": 2, "type": "survey", "settings": settings, "provenance": {}})
    for part in range(100):
        numbers = np.repeat(np.arange(part * 64, part * 64 + 64), 30)
        count = len(numbers)
        words = random.choice([f"word{i}" for i in range(200)], count)
        columns = {"number": numbers, "word": words, "start": np.tile(np.arange(30), 64), "score": random.random(count)}
        empty = pa.array([None] * count, pa.bool_())
        table = pa.table({**columns, "end": columns["start"], "method": ["gradient"] * count, "rationale": empty})
        folder.write("words", f"{part:06d}-x.parquet", table)
    gathered = Gathered()
    for name in folder.names("words"):
        gathered.add(folder.table("words", name))
    for _, _, members, *_ in gathered.by_word():
        assert (np.diff(members) > 0).all()
