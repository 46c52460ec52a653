"""Every message has a Japanese one, and a sentence that was said in English is recognised."""

import importlib.util
import warnings
from pathlib import Path
from types import ModuleType

import pytest

from attnscope.errors import AdviceWarning, InputError, SpokenWarning
from attnscope.render.figure.fonts import MissingGlyphWarning
from attnscope.translation import (
    QUOTED,
    catalogue,
    locale_language,
    say,
    speaking,
    spoken,
    taken_apart,
    told,
    translated,
)

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def catalogues() -> ModuleType:
    spec = importlib.util.spec_from_file_location("messages", ROOT / ".ci" / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_message_is_translated_and_the_catalogue_compiled(catalogues: ModuleType) -> None:
    for language in catalogues.LANGUAGES:
        assert catalogues.missing(catalogues.read(language)) == []
        assert not catalogues.is_stale(language), "python .ci/messages.py compiles it"


def test_the_scan_sees_each_kind_of_message(catalogues: ModuleType) -> None:
    found = catalogues.messages()
    assert found["Importance by {method}"] == "python"
    assert found["{count} heads selected"] == found["Find a word"] == found["per ${per}"] == "viewer"
    assert found["cannot read {path}: {strerror}"] == found["give either a text or a number of tokens"] == "error"
    assert set(found.values()) == {"python", "viewer", "help", "table", "error"}


def test_a_sentence_in_pieces_is_read_whole_from_the_source(tmp_path: Path, catalogues: ModuleType) -> None:
    """Each way in which it can end; values are named once, and what is said of an error in an error is its own."""
    (tmp_path / "said.py").write_text(
        "_WHY = 'they are the same'\n"
        "class OwnError(Exception): ...\n"
        "def f(one, near, error):\n"
        "    hint = f'; did you mean {near}?' if near else ''\n"
        "    if one:\n"
        "        raise OwnError(f'{one} and {one!r} differ: {_WHY}{hint}')\n"
        "    raise type(error)(f'the file: {error}')\n"
    )
    assert list(catalogues.sentences_in(tmp_path)) == [
        "{one} and {v2} differ: they are the same; did you mean {near}?",
        "{one} and {v2} differ: they are the same",
        "the file: {error}",
    ]


def test_what_one_function_hands_to_another_is_told_in_its_sentence(tmp_path: Path, catalogues: ModuleType) -> None:
    """A clause that is a value of an error is a message itself, and the value's name says that it is one."""
    (tmp_path / "reads.py").write_text(
        "class OwnError(Exception): ...\n"
        "def read(given, name, *, where='here'):\n"
        "    raise OwnError(f'{name} is damaged in {where}')\n"
    )
    (tmp_path / "asks.py").write_text(
        "from reads import read\n"
        "def ask(part, kind):\n"
        "    read(part, 'a table', where=kind)\n"
        "    self.read(part, 'not this read')\n"
        "def f(number):\n"
        "    ask(1, f'the row {number} of it')\n"
    )
    assert sorted(catalogues.clauses_in(tmp_path)) == [("name", "a table"), ("where", "the row {number} of it")]
    handed = set(catalogues.clauses_in(catalogues.PACKAGE))
    assert ("what", "an Arrow stream") in handed
    assert {name for name, _ in handed} <= QUOTED
    assert translated("standard input is not CSV (x)", "ja") == "標準入力 は CSV ではありません（x）"
    assert translated("line 3 of standard input has no 'a'; standard input has 'b'", "ja") == (
        "標準入力 の 3 行目に 'a' がありません。標準入力 にあるもの：'b'"
    )


def test_a_warning_is_shown_in_the_users_language_and_kept_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    english = "the target 'a' is unlikely (probability 0.1): the model would have said 'b' (0.9)"
    warning = AdviceWarning(english)
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert str(warning) == english
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    shown = warnings.formatwarning(warning, AdviceWarning, "mine.py", 3, "")
    assert shown.startswith("mine.py:3: AdviceWarning: ターゲット 'a' は")
    assert "model" not in shown
    assert warning.args == (english,)
    assert issubclass(MissingGlyphWarning, SpokenWarning)


def test_a_translation_has_the_values_of_its_message(catalogues: ModuleType) -> None:
    from string import Formatter

    def values(message: str) -> set[str | None]:
        return {field for _, field, *_ in Formatter().parse(message.replace("${", "{")) if field is not None}

    others = []
    for message, said in catalogue("ja").items():
        try:
            if values(message) != values(said):
                others.append(message)
        except ValueError:  # braces that are no places of values
            continue
    assert not others


def test_outside_of_a_language_everything_is_english() -> None:
    assert spoken() == "en"
    assert say("Strongest {units}", units="words") == "Strongest words"
    with speaking("ja"):
        assert say("Strongest {units}", units="単語") == "影響の強い単語"
        assert say("nobody has translated {this}", this=1) == "nobody has translated 1"
    assert spoken() == "en"


def test_a_sentence_is_recognised_with_its_values_and_those_in_it() -> None:
    with speaking("ja"):
        assert told("The heads put out the mean of their outputs on 40 other texts.") == (
            "ヘッドの出力を、ほかの 40 テキストでの出力の平均に置き換えました。"
        )
        assert told("A note of nobody's.") == "A note of nobody's."
    assert told("each column: the edges cut in this layer") == "each column: the edges cut in this layer"
    assert translated("log-probability of the label 'x'", "ja") == "ラベル 'x' の対数確率"


def _filled(message: str, tag: str) -> tuple[str, dict[str, str]]:
    """The message with made-up values, and these."""
    _, names = taken_apart(message)
    values = {name: f"Ω{tag}{i}" for i, name in enumerate(dict.fromkeys(names))}
    return (message.format_map(values) if names else message), values


def test_every_error_is_recognised_with_its_values(catalogues: ModuleType) -> None:
    known, others = catalogue("ja"), []
    for message, kind in catalogues.messages().items():
        literals, names = taken_apart(message)
        if kind != "error" or sum(map(len, literals)) < 7:  # glue between sentences: recognised with these
            continue
        sentence, values = _filled(message, "")
        if translated(sentence, "ja") != (known[message].format_map(values) if names else known[message]):
            others.append((sentence, translated(sentence, "ja")))
    assert not others


def test_an_error_in_an_error_is_japanese_from_end_to_end(catalogues: ModuleType) -> None:
    known = catalogue("ja")
    errors = [message for message, kind in catalogues.messages().items() if kind == "error"]
    whole = [message for message in errors if " " in message and sum(map(len, taken_apart(message)[0])) > 20]
    quoting = QUOTED - {"what", "where", "source", "strerror", "alternatives", "rest", "why", "usage"}
    others, tried = [], 0
    for i, outer in enumerate(errors):
        names = taken_apart(outer)[1]
        if not (quotes := [name for name in names if name in quoting]):
            continue
        for inner in whole[i % 97 :: 97]:
            sentence, of_inner = _filled(inner, "i")
            _, values = _filled(outer, "o")
            said = known[inner].format_map(of_inner) if of_inner else known[inner]
            given = outer.format_map(values | {quotes[-1]: sentence})
            tried += 1
            if translated(given, "ja") != known[outer].format_map(values | {quotes[-1]: said}):
                others.append((given, translated(given, "ja")))
    assert tried > 200
    assert not others


def test_of_two_messages_the_one_that_says_more_of_the_sentence() -> None:
    """A wider message, whose value would take up English, does not take the place of a narrower one."""
    japanese = translated(
        "text 2 of 5: the text has no [MASK]: write it where the model is to predict, or give position", "ja"
    )
    assert japanese.startswith("テキスト 2（全 5）：テキストに [MASK] がありません。")
    near = translated("no renderer writes '.pn': expected one of .png .pdf; did you mean .png?", "ja")
    assert near == "'.pn' には書き出せません。使えるもの：.png .pdf（.png のことですか？）"
    # A list at the end is no quoted sentence, and values are left as they are.
    assert translated(
        "layer 3 of X is linear attention and has no attention weights; layers with weights: 1, 2", "ja"
    ) == ("X の層 3 は線形アテンションの層で、アテンションの重みがありません。重みのある層：1, 2")


def test_a_message_without_braces_of_values_keeps_its_own() -> None:
    said = translated("text 1 of 2: segments is empty: give at least one {name: (start, end)}", "ja")
    assert said == "テキスト 1（全 2）：segments が空です。{name: (start, end)} を 1 つ以上指定してください"


def test_what_nobody_has_said_stays_as_it_is() -> None:
    for sentence in ("", "a: b", "wrote nonsense", "x; y", "is not one of ours: " * 400):
        assert translated(sentence, "ja") == sentence


def test_the_language_of_the_surroundings_is_that_of_gettext(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert locale_language() == "en"
    monkeypatch.setenv("LANG", "ja_JP.UTF-8")
    assert locale_language() == "ja"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert locale_language() == "en"


def test_a_language_without_a_catalogue_is_refused() -> None:
    with pytest.raises(InputError, match="lang='tlh': expected one of en, ja"), speaking("tlh"):
        pass
