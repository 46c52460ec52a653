"""HTML that is escaped by default: the only place where a text becomes part of a page.

The problems it solves:
- Forgetting is safe. A plain str is escaped wherever it is put: between tags, in an attribute, in a part of a template.
  Only Markup goes in as it is, and an f-string, `+` or `"".join` of Markup is a plain str again.
- Each context has its own dangers, so each has its own function: `el` and `joined` for what goes between tags,
  `attributes` for quoted values, `raw_text` for the inside of `<script>` and `<style>`, where nothing can be escaped.
- A text cannot affect its surroundings: control characters, and those that change the direction of text, are made
  visible. `escape_text` is for the only place where a text is shown exactly as it is.

Nothing is parsed: Markup written by hand is trusted, so write only literals by hand.
"""

import html
import re
from collections.abc import Iterable, Mapping
from functools import cache
from string import Template
from typing import TypeAlias

from attnscope.text.visible import visible

# Elements without an end tag: HTML's void elements, and SVG's shapes, which are self-closing.
_VOID = frozenset({"input"})
_SHAPES = frozenset({"line", "polygon", "rect"})
_NAME = re.compile(r"(?!on)[a-z][a-z0-9-]*", re.IGNORECASE)
_ENDS_RAW_TEXT = re.compile(r"</(?:script|style)|<!--", re.IGNORECASE)


class Markup(str):
    """HTML that goes into a page as it is."""

    __slots__ = ()


# What may go between tags: texts, Markup, and iterables of these.
Child: TypeAlias = "str | Iterable[Child]"


def el(tag: str, attrs: Mapping[str, object] | None = None, *children: Child) -> Markup:
    """An element. attrs: as in `attributes`; children: texts, which are escaped, Markup, or iterables of these.

    >>> el("td", {"class": "n", "title": 'a "b"', "hidden": False}, "1 < 2 ", el("b", None, "so"))
    '<td class="n" title="a &quot;b&quot;">1 &lt; 2 <b>so</b></td>'
    """
    head = f"<{_checked(tag)}{attributes(attrs) if attrs else ''}"
    if tag in _VOID or (tag in _SHAPES and not children):
        return Markup(f"{head}>" if tag in _VOID else f"{head}/>")
    return Markup(f"{head}>{joined(children)}</{tag}>")


def joined(parts: Iterable[Child]) -> Markup:
    """Texts and Markup one after the other, the texts escaped."""
    return Markup("".join([_child(part) if isinstance(part, str) else joined(part) for part in parts]))


def attributes(values: Mapping[str, object]) -> Markup:
    """Attributes with a space before each. True is written without a value, None and False are left out.

    Raises ValueError for an event handler and for an address outside the page's folder: pages have neither.
    """
    return Markup("".join(_attribute(_checked(name), value) for name, value in values.items()))


def filled(template: str, **parts: str) -> Markup:
    """A template of the viewer with its parts filled in. Texts are escaped for use in double quotes too."""
    safe = {name: part if isinstance(part, Markup) else escape_attribute(part) for name, part in parts.items()}
    return Markup(Template(template).substitute(safe))


def raw_text(source: str) -> Markup:
    """The inside of a `<script>` or `<style>`, which is not escaped. Raises ValueError if it would end the element."""
    if end := _ENDS_RAW_TEXT.search(source):
        raise ValueError(f"{end[0]!r} would end the element")
    return Markup(source)


def escape_line(text: str) -> Markup:
    """A text between tags, as `el` writes it: on one line, with control characters made visible."""
    return Markup(html.escape(visible(text), quote=False))


def escape_text(text: str) -> Markup:
    """Escaped so that the page's text content is `text`: a parser would turn a bare CR into LF and drop a NUL."""
    return Markup(html.escape(text, quote=False).replace("\r", "&#13;").replace("\0", "\u2400"))


def escape_attribute(text: str) -> Markup:
    """The value of an attribute in double quotes, on one line, with control characters made visible."""
    return quoted(visible(text))


def quoted(text: str) -> Markup:
    """The value of an attribute in double quotes, with its line breaks."""
    return Markup(html.escape(text, quote=False).replace('"', "&quot;"))


def _child(part: str) -> Markup:
    return part if isinstance(part, Markup) else escape_line(part)


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    text = str(value)
    if name in ("href", "src") and not _ADDRESS.fullmatch(text):
        raise ValueError(f"{name}={text!r}: expected a place in the page, such as #top, or a numbered page beside it")
    # Markup is escaped too: what is safe between tags is not safe here.
    return f' {name}="{escape_attribute(text)}"'


# A place in the page, or another of the numbered pages of one folder.
_ADDRESS = re.compile(r"#.*|\d+\.html")


@cache
def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an element or attribute that pages have")
    return name
