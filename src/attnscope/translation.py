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
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from string import Formatter

from attnscope.errors import InputError

LANGUAGES = {"en": "English", "ja": "日本語"}
LOCALE = Path(__file__).parent / "locale"
DOMAIN = "attnscope"
# A sentence in a sentence, such as an error in an error, has one of these names; it is a message of its own.
_QUOTED = frozenset({"error", "message", "reason", "refusal", "rest", "source", "what", "where"})
# A message with fewer letters of its own could be any sentence.
_FEWEST_LETTERS = 7

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

    Of several messages that it could be, the one with most letters of its own.
    """
    known = catalogue(language)
    if sentence in known:
        return known[sentence]
    for pattern, fields, said in _patterns(language):
        if found := pattern.fullmatch(sentence):
            values = dict(zip(fields, found.groups(), strict=True))
            values |= {name: translated(values[name], language) for name in _QUOTED & values.keys()}
            return said.format_map(values)
    return sentence


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], list[str], str]]:
    """The messages with values, as what they may look like, those with most letters first."""
    sized = []
    for message, said in catalogue(language).items():
        if "{" not in message:
            continue
        try:
            parts = list(Formatter().parse(message))
        except ValueError:  # braces of its own: a message without values
            continue
        letters = sum(len(literal) for literal, *_ in parts)
        if letters < _FEWEST_LETTERS:
            continue
        fields = [field for _, field, *_ in parts if field is not None]
        looks = "".join(re.escape(literal) + ("" if field is None else "(.*?)") for literal, field, *_ in parts)
        sized.append((letters, (re.compile(looks, re.DOTALL), fields, said)))
    return [pattern for _, pattern in sorted(sized, key=lambda one: -one[0])]
