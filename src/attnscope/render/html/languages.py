"""A page in the reader's language: written in one, or in English with what turns it into the others where it is read.

Both are written by the same function, so their elements are the same and only texts and attributes differ. The page
holds the differences and the messages of its script, deflated, in an inert element; `viewer/speech.js` reads them, if
the reader's browser wants that language. Without a script the page is English.
"""

import html
import json
import re
import zlib
from base64 import b64encode
from collections.abc import Callable
from functools import cache

from attnscope.render.html.escape import Markup, el, joined
from attnscope.translation import LANGUAGES, catalogue, checked_language, speaking

# A text to be set: the element's number in the document, how many of its elements stand before, the text.
TextChange = tuple[int, int, str]
# An attribute to be set: the element's number, its name, its value.
AttributeChange = tuple[int, str, str]

_TAG = re.compile(r"(<[^>]*>)")
_NAME = re.compile(r"</?([a-zA-Z0-9]+)")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_NEVER_CLOSED = frozenset({"col", "input", "meta"})
_SAID = re.compile(r'\b(?:t|phrase|later)\(\s*("(?:[^"\\]|\\.)*")')


def in_languages(page: Callable[[], Markup], code: str, lang: str | None, words: Callable[[], object] = dict) -> Markup:
    """The page as `page` writes it in the language `lang`, with what its script needs to speak it.

    code: the page's script. words: what the page's data says, where it is no part of the page itself. lang None: in
    English, and in the language of the reader's browser as soon as it is read. Raises InputError for another language.
    """
    with speaking(lang or "en"):
        shown = page()
    if lang == "en":
        return shown
    if lang is not None:
        return joined((shown, _inert(lang, True, {"says": says(code, lang)})))
    others = []
    for language in LANGUAGES:
        if language != "en":
            with speaking(language):
                texts, attributes = differences(shown, page())
                of_data = words()
            found = {"texts": texts, "attributes": attributes, "says": says(code, language), "words": of_data}
            others.append(_inert(language, False, found))
    return joined((shown, others))


def _inert(language: str, always: bool, found: dict[str, object]) -> Markup:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    coded = b64encode(deflate.compress(data) + deflate.flush()).decode()
    kind = {"type": "application/octet-stream", "data-speech": checked_language(language), "data-always": always}
    return joined((el("script", kind, coded), Markup("\n")))


@cache
def says(code: str, language: str) -> dict[str, str]:
    """The messages of a script in a language."""
    known = catalogue(language)
    messages = dict.fromkeys(json.loads(found) for found in _SAID.findall(code))
    return {message: known[message] for message in messages if message in known}


def differences(shown: str, other: str) -> tuple[list[TextChange], list[AttributeChange]]:
    """What has to be set in a page to make another of it that has the same elements.

    >>> differences("<p>a <b>word</b></p>", '<p><b>単語</b>が一つ</p>')
    ([(0, 0, ''), (1, 0, '単語'), (0, 1, 'が一つ')], [])
    """
    ours, theirs = _TAG.split(shown), _TAG.split(other)
    if len(ours) != len(theirs):
        raise ValueError("the page has other elements in another language")
    texts: list[TextChange] = []
    attributes: list[AttributeChange] = []
    # Of each open element its number, and how many elements it has had.
    path: list[list[int]] = []
    number = -1
    for place, (one, two) in enumerate(zip(ours, theirs, strict=True)):
        if place % 2 == 0:
            if one != two and path:
                texts.append((path[-1][0], path[-1][1], html.unescape(two)))
        elif one.startswith("</"):
            path.pop()
        elif one[1] != "!":
            number += 1
            if path:
                path[-1][1] += 1
            if one != two:
                attributes += _changed(number, one, two)
            if not one.endswith("/>") and _name(one) not in _NEVER_CLOSED:
                path.append([number, 0])
    return texts, attributes


def _name(tag: str) -> str:
    found = _NAME.match(tag)
    return found[1].lower() if found else ""


def _changed(number: int, one: str, two: str) -> list[AttributeChange]:
    if _name(one) != _name(two):
        raise ValueError(f"the page has {two} in another language where it has {one}")
    before, after = dict(_ATTRIBUTE.findall(one)), dict(_ATTRIBUTE.findall(two))
    return [(number, name, html.unescape(value)) for name, value in after.items() if before.get(name) != value]
