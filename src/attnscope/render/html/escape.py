"""HTML that is escaped unless it is marked: the only place where a text becomes part of a page.

The problems it solves:
- Forgetting is safe. A plain str is a text wherever it is put: between tags, in an attribute, in a part of a template.
  Only Markup goes in as it is, and an f-string, `+` or `"".join` of Markup is a plain str again.
- Each context has its own danger, so there is one function for each: `el` and `joined` for what stands between tags,
  `attributes` for quoted values, `raw_text` for the inside of `<script>` and `<style>`, where nothing can be escaped.
- Texts keep to themselves: control characters, and those that turn the direction of their surroundings, are made
  visible. `escape_text` is for the one place where a text is shown exactly as it is.

It does not parse: Markup that was written by hand is trusted, so write literals alone by hand.
"""

import html
import re
from collections.abc import Iterable, Mapping
from functools import cache
from string import Template
from typing import TypeAlias

from attnscope.text.visible import visible

# Elements without an end tag: HTML's void ones, and SVG's shapes, which close themselves.
_VOID = frozenset({"input"})
_SHAPES = frozenset({"line", "polygon", "rect"})
_NAME = re.compile(r"(?!on)[a-z][a-z0-9-]*", re.IGNORECASE)
_ENDS_RAW_TEXT = re.compile(r"</(?:script|style)|<!--", re.IGNORECASE)


class Markup(str):
    """HTML that goes into a page as it is."""

    __slots__ = ()


# What stands between tags: texts, Markup, and any number of them.
Child: TypeAlias = "str | Iterable[Child]"


def el(tag: str, attrs: Mapping[str, object] | None = None, *children: Child) -> Markup:
    """An element. attrs: as `attributes` takes them; children: texts, which are escaped, Markup, or iterables of these.

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
    """Attributes with a space before each. True stands without a value, None and False are left out.

    Raises ValueError for a handler of events and for an address that leads out of the page: pages have neither.
    """
    return Markup("".join(_attribute(_checked(name), value) for name, value in values.items()))


def filled(template: str, **parts: str) -> Markup:
    """A template of the viewer with its parts. Texts are escaped so that they may stand in double quotes, too."""
    safe = {name: part if isinstance(part, Markup) else escape_attribute(part) for name, part in parts.items()}
    return Markup(Template(template).substitute(safe))


def raw_text(source: str) -> Markup:
    """The inside of a `<script>` or `<style>`, where nothing is escaped. Raises ValueError for what would end it."""
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
    return _quoted(visible(text))


def _quoted(text: str) -> Markup:
    return Markup(html.escape(text, quote=False).replace('"', "&quot;"))


def _child(part: str) -> Markup:
    return part if isinstance(part, Markup) else escape_line(part)


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    text = str(value)
    if name in ("href", "src") and not text.startswith("#"):
        raise ValueError(f"{name}={text!r}: expected a place in the page, such as #top")
    # A page in a frame has line breaks of its own. Markup is no exception: what is safe between tags is not safe here.
    return f' {name}="{_quoted(text) if name == "srcdoc" else escape_attribute(text)}"'


@cache
def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an element or attribute that pages have")
    return name
