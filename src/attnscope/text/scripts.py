"""Words of scripts that are written without spaces: Japanese, Chinese and Thai.

Japanese words are those of a dictionary, SudachiPy's, in its longest units: 熊本県 and 人工知能 are words. Chinese and
Thai words are BudouX's, and Japanese ones too where there is no dictionary. With neither, runs of one script are words.
"""

import json
import logging
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources

import regex

_log = logging.getLogger(__name__)

_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]", regex.V1)
_CJK = r"\p{Han}\p{Hiragana}\p{Katakana}〆ーｰﾞﾟ"
_CJK_RUN = regex.compile(rf"[{_CJK}][{_CJK}\p{{M}}]*", regex.V1)
_THAI_RUN = regex.compile(r"\p{Thai}[\p{Thai}\p{M}]*", regex.V1)
_SCRIPT_RUN = regex.compile(
    r"[\p{Han}〆][\p{Han}〆\p{M}]*|\p{Hiragana}[\p{Hiragana}ー\p{M}]*|[\p{Katakana}ーｰﾞﾟ][\p{Katakana}ーｰﾞﾟ\p{M}]*",
    regex.V1,
)

# A run is cut in pieces of so many characters, since BudouX's loop is quadratic and Sudachi's memory bounded. A
# piece is read with a margin on either side, which is what BudouX looks at.
_PIECE = 1000
_MARGIN = 3

_Split = Callable[[str], list[str]]


def words_without_spaces(text: str) -> Iterator[tuple[int, int, list[int]]]:
    """Each run of a script without spaces: its span and where its words begin.

    >>> list(words_without_spaces("a 猫です"))
    [(2, 5, [2, 3])]
    """
    language = None
    for run in _CJK_RUN.finditer(text):
        language = language or _east_asian_language(text)
        start, end = run.span()
        split = _splitter(language)
        if split is None:
            yield start, end, [part.start() for part in _SCRIPT_RUN.finditer(text, start, end)]
        else:
            yield start, end, _cuts(split, text, start, end)
    for run in _THAI_RUN.finditer(text):
        start, end = run.span()
        split = _splitter("th")
        yield start, end, [start] if split is None else _cuts(split, text, start, end)


def _east_asian_language(text: str) -> str:
    if _KANA.search(text):
        return "ja"
    # The old national character sets tell the forms of characters apart: 県 is Japanese alone.
    traditional, simplified, japanese = (len(text.encode(name, "ignore")) for name in ("big5", "gb2312", "shift_jis"))
    if japanese > max(traditional, simplified):
        return "ja"
    return "zh-hant" if traditional > simplified else "zh-hans"


def _cuts(split: _Split, text: str, start: int, end: int) -> list[int]:
    """Where words begin in `text[start:end]`, which `split` reads with the characters around it."""
    cuts = [start]
    for piece in range(start, end, _PIECE):
        piece_end = min(piece + _PIECE, end)
        position = max(0, piece - _MARGIN)
        for chunk in split(text[position : piece_end + _MARGIN]):
            if max(piece, start + 1) <= position < piece_end:
                cuts.append(position)
            position += len(chunk)
    return cuts


@cache
def _splitter(language: str) -> _Split | None:
    """What cuts a text of that language into words; None where nothing is installed that can."""
    return (_dictionary() if language == "ja" else None) or _budoux(language)


def _dictionary() -> _Split | None:
    """SudachiPy with its dictionary, or None if one of them is not installed."""
    try:
        from sudachipy import Dictionary, SplitMode

        dictionary = Dictionary(dict="core")
    except ImportError:
        return None
    # A tokenizer serves one thread at a time, and costs nothing to make.
    return lambda text: [morpheme.surface() for morpheme in dictionary.tokenizer(mode=SplitMode.C).tokenize(text)]


def _budoux(language: str) -> _Split | None:
    """BudouX with its model of that language, or None if it is not installed or too old to have it."""
    model = "ja_word" if language == "ja" else language
    try:
        import budoux

        weights = resources.files("budoux").joinpath("models", f"{model}.json").read_text("utf-8")
    except (ImportError, FileNotFoundError):
        _hint()
        return None
    split: _Split = budoux.Parser(json.loads(weights)).parse
    return split


@cache
def _hint() -> None:
    _log.warning(
        "Japanese, Chinese and Thai words are split by script alone, because BudouX is not installed or too old: "
        "pip install -U 'attnscope[ja]'"
    )
