"""What attnscope says, in the reader's language, by gettext: English is in the code, other languages in `locale/`.

A message is its own key, with the places of its values, so that each language orders them as it must:

    >>> say("{count} tokens", count=3)
    '3 tokens'
    >>> with speaking("ja"):
    ...     say("{count} tokens", count=3)
    '3 トークン'

A picture is drawn in one language (`speaking`). What was said in English elsewhere, an error or a note that a result
was saved with, is recognised by the same keys (`translated`).
"""

import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from string import Formatter

from attnscope.errors import InputError

LANGUAGES = {"en": "English", "ja": "日本語"}
LOCALE = Path(__file__).parent / "locale"
DOMAIN = "attnscope"
# A sentence in a sentence, such as an error in an error, has one of these names; it is a message of its own.
QUOTED = frozenset({"alternatives", "causes", "error", "failed", "message", "planned", "reason", "refusal", "rest"})
QUOTED |= {"smaller", "source", "strerror", "usage", "what", "where", "why"}
# A message with fewer letters of its own could be any sentence, unless it ends with one that is recognised.
_FEWEST_LETTERS = 7
# A sentence is quoted in a sentence in a sentence, and none is so long.
_DEEPEST, _LONGEST = 3, 5000
# So many characters at their ends tell messages apart.
_END = 3

_spoken: ContextVar[str] = ContextVar("spoken", default="en")


def say(message: str, /, **values: object) -> str:
    """The message in the language that is spoken, with its values in their places."""
    said = catalogue(_spoken.get()).get(message, message)
    return said.format_map(values) if values else said


def told(sentence: str) -> str:
    """A sentence that was said in English elsewhere, in the language that is spoken."""
    return translated(sentence, _spoken.get())


def spoken() -> str:
    """The language that is spoken now."""
    return _spoken.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Inside, everything is said in this language."""
    before = _spoken.set(checked_language(language))
    try:
        yield
    finally:
        _spoken.reset(before)


def checked_language(language: str) -> str:
    """The language, if there is a catalogue of it. Raises InputError."""
    if language not in LANGUAGES:
        raise InputError(f"lang={language!r}: expected one of {', '.join(LANGUAGES)}")
    return language


def locale_language() -> str:
    """The language of the user's surroundings, by LANGUAGE, LC_ALL, LC_MESSAGES and LANG; else English."""
    found = gettext.find(DOMAIN, LOCALE)
    return "en" if found is None else Path(found).parents[1].name


@cache
def catalogue(language: str) -> dict[str, str]:
    """English messages and what they are in this language."""
    if language == "en":
        return {}
    read = gettext.translation(DOMAIN, LOCALE, [language])
    return {key: said for key, said in vars(read)["_catalog"].items() if key and isinstance(key, str)}


def translated(sentence: str, language: str) -> str:
    """A whole sentence that was said in English; as it is where no message is found in it.

    Of several messages that it could be, the one that accounts for most of its letters, with those of the sentences
    that it quotes. Where values make that ambiguous, it is the message that allows fewer sentences: each that it allows
    has its letters, so no wider message has more.
    """
    return _recognised(sentence, language)[1]


def in_locale(sentence: str) -> str:
    """A sentence that was said in English, in the language of the user's surroundings."""
    return translated(sentence, locale_language())


@lru_cache(4096)
def _recognised(sentence: str, language: str, depth: int = 0) -> tuple[int, str]:
    """How many letters of the sentence are those of messages, and what it is in the language.

    depth: in how many other sentences it is quoted.
    """
    known = catalogue(language)
    if sentence in known:
        return len(sentence), known[sentence]
    best = 0, sentence
    if depth > _DEEPEST or len(sentence) > _LONGEST:
        return best
    for pattern in _patterns_of(sentence, language):
        if not pattern.quotes and pattern.letters <= max(best[0], _FEWEST_LETTERS - 1):
            continue
        for values in pattern.values(sentence):
            quoted = 0
            for name in pattern.quotes:
                said = _recognised_list if name == "causes" else _recognised
                letters, values[name] = said(values[name], language, depth + 1)
                quoted += letters
            sure = pattern.letters >= _FEWEST_LETTERS or (letters and name == pattern.names[-1])
            if sure and pattern.letters + quoted > best[0]:
                best = pattern.letters + quoted, pattern.said.format_map(values)
    return best


def _recognised_list(sentences: str, language: str, depth: int) -> tuple[int, str]:
    """Of sentences after each other, or of one that only looks like several."""
    parts = [_recognised(sentence, language, depth) for sentence in sentences.split("; ")]
    joined = sum(letters for letters, _ in parts), "；".join(said for _, said in parts)
    return max(joined, _recognised(sentences, language, depth), key=lambda one: one[0])


@dataclass
class _Pattern:
    """A message with values: what stands around them, their names, which of them are sentences, and its translation."""

    literals: tuple[str, ...]
    names: tuple[str, ...]
    quotes: tuple[str, ...]
    said: str

    @cached_property
    def letters(self) -> int:
        """How many are the message's own."""
        return sum(map(len, self.literals))

    def values(self, sentence: str) -> Iterator[dict[str, str]]:
        """The values that make the message this sentence, short ones first; where it quotes others, long ones too."""
        first, *between, last = self.literals
        begin, end = len(first), len(sentence) - len(last)
        if begin > end or not sentence.startswith(first) or not sentence.endswith(last):
            return
        for cut in (_cuts, _cuts_from_behind) if self.quotes else (_cuts,):
            if (cuts := cut(sentence, between, begin, end)) is not None:
                found = [(name, sentence[part]) for name, part in zip(self.names, cuts, strict=True)]
                # A value that comes twice is the same both times.
                if len(values := dict(found)) == len(set(found)):
                    yield values


def _cuts(sentence: str, literals: list[str], begin: int, end: int) -> list[slice] | None:
    """What is between the literals, each at its first place after the one before."""
    cuts = []
    for literal in literals:
        at = sentence.find(literal, begin, end)
        if at < 0:
            return None
        cuts.append(slice(begin, at))
        begin = at + len(literal)
    return [*cuts, slice(begin, end)]


def _cuts_from_behind(sentence: str, literals: list[str], begin: int, end: int) -> list[slice] | None:
    cuts = []
    for literal in reversed(literals):
        at = sentence.rfind(literal, begin, end)
        if at < 0:
            return None
        cuts.append(slice(at + len(literal), end))
        end = at
    return [slice(begin, end), *reversed(cuts)]


def _patterns_of(sentence: str, language: str) -> list[_Pattern]:
    """The messages with values that the sentence can be by its ends, those with most letters first."""
    patterns = _patterns(language)
    ends = (sentence[:_END], ""), ("", sentence[-_END:]), ("", "")
    found = [pattern for key in dict.fromkeys(ends) for pattern in patterns.get(key, ())]
    return sorted(found, key=lambda pattern: -pattern.letters)


@cache
def _patterns(language: str) -> dict[tuple[str, str], list[_Pattern]]:
    """The messages with values, by how their sentences begin, or if that is with a value, by how they end."""
    found: dict[tuple[str, str], list[_Pattern]] = {}
    for message, said in catalogue(language).items():
        literals, names = taken_apart(message)
        if names:
            quotes = tuple(name for name in dict.fromkeys(names) if name in QUOTED)
            begin, end = literals[0][:_END], literals[-1][-_END:]
            key = (begin, "") if len(begin) == _END else ("", end if len(end) == _END else "")
            found.setdefault(key, []).append(_Pattern(tuple(literals), tuple(names), quotes, said))
    return found


def taken_apart(message: str) -> tuple[list[str], list[str]]:
    """What stands around the values of a message, and their names; none where its braces are its own."""
    literals, names = [""], []
    try:
        for literal, name, form, _ in Formatter().parse(message):
            literals[-1] += literal
            if name is not None:
                names.append(name)
                literals.append("")
                if form or not name.isidentifier():
                    return [message], []
    except ValueError:
        return [message], []
    return literals, names
