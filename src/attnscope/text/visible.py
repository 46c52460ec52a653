"""Control characters made visible, for every text that is shown beside others: in a page, a figure, a terminal."""

import unicodedata

_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


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
