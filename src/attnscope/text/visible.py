"""Control characters made visible, for every text that is shown beside others: in a page, a figure, a terminal."""

import re
import unicodedata

_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# A path: with a root, a home, a drive, backslashes, or more than the one slash of a hub id.
_FOLDER = re.compile(r"^[/~.]|\\|/.*/")


def visible(text: str, keep: str = "") -> str:
    """`text` with control characters made visible, so that it can neither move a cursor nor reorder its surroundings.

    So are halves of surrogate pairs and what Unicode says is no character: no file may hold them.

    >>> visible("a\\x1b[31m b\\u202e")
    'a␛[31m b\\\\u202e'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in keep else _visible(c) for c in text)


def _visible(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    if noncharacter or character in _BIDI_CONTROLS or unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs"):
        return f"\\u{code:04x}"
    return character


def model_name(name: str) -> str:
    """What a model is called in a picture: a folder by its own name, since its path is nobody's business.

    >>> model_name("/home/me/models/tiny"), model_name("org/name"), model_name("C:\\\\models\\\\tiny")
    ('tiny', 'org/name', 'tiny')
    """
    return " + ".join(
        re.split(r"[/\\]", part.rstrip("/\\"))[-1] if _FOLDER.search(part) else part for part in name.split(" + ")
    )
