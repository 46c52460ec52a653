import doctest
import logging
import sys
import threading
from collections.abc import Iterator

import budoux
import pytest
from sudachipy import Dictionary, SplitMode

from attnscope.text import scripts
from attnscope.text.words import segment

LONG = "吾輩は猫である名前はまだ無いどこで生れたかとんと見当がつかぬ" * 100


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in segment(text)]


@pytest.fixture(params=[("sudachipy",), ("sudachipy", "budoux")], ids=["no dictionary", "nothing"])
def missing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ...]]:
    caches = (scripts._splitter, scripts._hint)
    for cached in caches:
        cached.cache_clear()
    for package in request.param:
        monkeypatch.setitem(sys.modules, package, None)
    yield request.param
    for cached in caches:
        cached.cache_clear()


def test_the_docstrings_examples_are_true() -> None:
    assert doctest.testmod(scripts) == (0, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("私は熊本県に住んでいます。", ["私", "は", "熊本県", "に", "住ん", "で", "い", "ます", "。"]),
        ("熊本県について説明して", ["熊本県", "に", "つい", "て", "説明", "し", "て"]),
        ("日本の首都は東京です。", ["日本", "の", "首都", "は", "東京", "です", "。"]),
        ("人工知能の研究者", ["人工知能", "の", "研究者"]),
        ("熊本県", ["熊本県"]),
        ("我们今天去北京", ["我们", "今天", "去", "北京"]),
        ("我今天在學校學習中文", ["我", "今天", "在", "學校", "學習", "中文"]),
        ("อากาศดีมาก ครับ", ["อากาศ", "ดี", "มาก", "ครับ"]),
        ("GPTで熊本県2024年", ["GPT", "で", "熊本県", "2024", "年"]),
    ],
)
def test_words_are_the_dictionarys_or_the_models(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_a_long_text_is_cut_in_pieces_as_it_would_be_whole() -> None:
    tokenizer = Dictionary(dict="core").tokenizer(mode=SplitMode.C)
    assert cut(LONG) == [morpheme.surface() for morpheme in tokenizer.tokenize(LONG)]
    parser = budoux.load_default_simplified_chinese_parser()
    text = "我们今天去北京看了很多有意思的地方" * 100
    assert cut(text) == parser.parse(text)


def test_words_are_the_same_in_every_thread() -> None:
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append(cut(LONG))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [cut(LONG)] * 4


def test_without_a_dictionary_budoux_finds_words_and_without_budoux_scripts_do(
    missing: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        if "budoux" in missing:
            assert cut("熊本城はおしろカッコーです") == ["熊本城", "はおしろ", "カッコー", "です"]
            assert cut("我们今天 อากาศดี") == ["我们今天", "อากาศดี"]
            assert "pip install -U 'attnscope[ja]'" in caplog.text
        else:
            assert cut("吾輩は猫である") == ["吾輩", "は", "猫", "で", "ある"]
    assert len(caplog.records) == ("budoux" in missing)
