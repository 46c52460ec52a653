"""Every message has a Japanese one, and a sentence that was said in English is recognised."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from attnscope.errors import InputError
from attnscope.translation import catalogue, locale_language, say, speaking, spoken, told, translated

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
    assert set(found.values()) == {"python", "viewer", "help", "table"}


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
