"""Words over texts: the planted ones are found, with intervals, and rare ones are not listed."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import attnscope as ats
from attnscope.errors import InputError
from attnscope.results.corpus import summary as module
from attnscope.results.corpus.summary import SurveySummary
from attnscope.results.corpus.survey import Survey
from attnscope.results.files.folder import Folder
from attnscope.results.statistics import interval


def _survey(path: Path, texts: int = 60) -> Survey:
    """Texts of which "good" matters by about 2 and "film" by about 0.1; in every fifth, which is wrong, "but" does."""
    random = np.random.default_rng(0)
    folder = Folder(path)
    settings = {"methods": [["gradient", {}], ["deletion", {}]]}
    folder.write_json("survey.json", {"schema": 2, "type": "survey", "settings": settings, "provenance": {}})
    for part in range(2):
        words: dict[str, list[object]] = {
            name: [] for name in ("number", "word", "start", "end", "score", "method", "rationale")
        }
        rows = []
        for number in range(part * texts // 2, (part + 1) * texts // 2):
            text = "Good good film but x." if number != 7 else "Good once film but x."
            wrong = number % 5 == 0
            rows.append(
                {"number": number, "text": text, "prediction": "pos", "gold": "neg" if wrong else "pos",
                 "probability": 0.9, "error": None}
            )  # fmt: skip
            for method in ("gradient", "deletion"):
                place = 0
                for word in text.replace(".", " .").split():
                    start = text.index(word, place)
                    place = start + len(word)
                    mean = {"Good": 2.0, "good": 4.0, "film": 0.1, "but": 3.0 if wrong else 0.2}.get(word, 0.0)
                    values = (number, word, start, place, mean + random.normal(0, 0.01), method, word == "but")
                    for name, value in zip(words, values, strict=True):
                        words[name].append(value)
        rows[3]["error"] = "TextError: it failed" if part else None
        name = f"{part:06d}-x.parquet"
        folder.write("words", name, pa.table(words))
        folder.write("texts", name, pa.Table.from_pylist(rows))
    return Survey.load(path)


def test_words_and_their_intervals_over_texts(tmp_path: Path) -> None:
    survey = _survey(tmp_path)
    summary = survey.summary()
    assert summary.counts == {"texts": 60, "failed": 1, "known": 60, "wrong": 12, "words": 720}
    assert summary.groups == {"all texts": 60, "predicted pos": 60, "where it is wrong": 12}
    rows = {(r.method, r.group, r.word): r for r in summary.words}
    good = rows["gradient", "all texts", "good"]
    table = survey.to_pandas("words")
    table = table[(table.method == "gradient") & (table.word.str.lower() == "good")]
    scores = table.groupby("number").score.mean()
    assert (good.texts, good.count) == (60, 119)
    assert good.mean == pytest.approx(scores.mean())
    assert [good.low, good.high] == pytest.approx(interval(scores.to_numpy()).tolist(), rel=0.01)
    assert next(iter(summary.words)).word == "good", "the strongest first"
    assert rows["gradient", "where it is wrong", "but"].mean > rows["gradient", "all texts", "but"].mean
    assert ("gradient", "all texts", "once") not in rows, "a word of one text is no finding"
    assert ("gradient", "all texts", ".") not in rows


def test_what_is_measured_text_by_text(tmp_path: Path) -> None:
    survey = _survey(tmp_path)
    summary = survey.summary()
    ((one, other, rank, count),) = summary.agreement
    assert (one, other, count) == ("gradient", "deletion", 60)
    assert rank > 0.7
    share, words, _ = summary.rationale["gradient"]
    assert words == pytest.approx(1 / 6)
    assert 0 < share < 1
    table = survey.to_pandas("words")
    table = table[table.method == "gradient"].assign(size=lambda f: f.score.abs())
    table = table.assign(place=table.groupby("number").cumcount(), many=table.groupby("number").score.transform("size"))
    for one in summary.spread_by("gradient", "tenth"):
        inside = table[(2 * table.place + 1) * 10 // (2 * table.many) == int(one.name) - 1]
        assert one.mean == pytest.approx(inside["size"].mean())
        assert one.quartiles == pytest.approx(inside["size"].quantile([0.25, 0.5, 0.75]).tolist())
        assert one.words == one.texts == len(inside)
    assert summary.spread_by("gradient", "segment") == (), "these texts have no parts"


def test_a_summary_that_has_only_means_by_tenth_is_still_read(tmp_path: Path) -> None:
    document = json.loads(_survey(tmp_path).summary().to_json())
    del document["spread"]
    document["position"] = {"gradient": [0.5, None, *[0.25] * 8]}
    old = SurveySummary.from_json(json.dumps(document))
    assert [(one.name, one.mean) for one in old.spread[:2]] == [("1", 0.5), ("3", 0.25)]
    for suffix in ("html", "txt", "svg"):
        assert ats.save(old, tmp_path / f"old.{suffix}").stat().st_size > 500


def test_the_texts_of_a_page_are_few_however_many_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    survey = _survey(tmp_path)
    summary = survey.summary()
    for row in summary.words:
        assert 1 <= len(row.examples) <= 5
        assert set(row.examples) <= set(summary.examples)
    text = summary.examples[summary.words[0].examples[0]]
    start, end, _ = text.words["gradient"][0]
    assert text.text[start:end] == "Good"
    monkeypatch.setattr(module, "CHARACTERS", 2000)
    assert 0 < len(survey.summary().examples) < len(summary.examples)


def test_a_folder_is_drawn_by_its_summary(tmp_path: Path) -> None:
    survey = _survey(tmp_path / "out", 20)
    page = ats.save(survey, tmp_path / "page.html").read_text()
    assert 'data-word="good"' in page
    assert "where it is wrong (4)" in page


def test_a_survey_without_labels_or_words(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write_json("survey.json", {"type": "survey", "settings": {"methods": [["gradient", {}]]}})
    summary = Survey.load(tmp_path).summary()
    assert summary.words == ()
    assert summary.groups == {"all texts": 0}
    assert ats.save(summary, tmp_path / "page.html").stat().st_size > 1000


def test_many_texts_come_before_a_few_with_large_scores(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write_json("survey.json", {"type": "survey", "settings": {"methods": [["gradient", {}]]}})
    often = [("often", number, 1.0 + number % 2 / 10) for number in range(40)]
    rarely = [("rarely", number, score) for number, score in zip(range(5), (0.0, 9.0, 0.0, 9.0, 0.0), strict=True)]
    words = [
        {"number": number, "word": word, "start": 0, "end": 1, "score": score, "method": "gradient", "rationale": None}
        for word, number, score in sorted([*often, *rarely], key=lambda row: row[1])
    ]
    texts = [
        {"number": n, "text": "x", "prediction": None, "gold": None, "probability": None, "error": None}
        for n in range(40)
    ]
    folder.write("words", "000000-x.parquet", pa.Table.from_pylist(words))
    folder.write("texts", "000000-x.parquet", pa.Table.from_pylist(texts))
    first, second = Survey.load(tmp_path).summary().words
    assert (first.word, second.word) == ("often", "rarely")
    assert second.mean > first.mean
    assert second.low < first.low


@pytest.mark.parametrize("least", [1, 0, -3, 2.5, True])
def test_a_word_of_one_text_is_no_finding(tmp_path: Path, least: int) -> None:
    with pytest.raises(InputError, match="no finding"):
        _survey(tmp_path).summary(least=least)
