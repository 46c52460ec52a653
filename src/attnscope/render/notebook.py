"""Results in a notebook's cell: each page in an `<iframe srcdoc>`. Page and notebook cannot reach into each other.

The frame tells its page whether the notebook is light or dark, and takes the height that the page needs
(`viewer/notebook/`). Where a host runs no handlers, the page follows the reader's system at the height written here.
"""

import html
import re
from functools import cache
from typing import Any

from attnscope.errors import InputError
from attnscope.render import RENDERERS, render
from attnscope.render.html.bundle import viewer
from attnscope.render.html.escape import Markup, el, filled, quoted
from attnscope.results.attention_maps import AttentionMaps
from attnscope.results.base import Result
from attnscope.results.collection import Failed
from attnscope.translation import in_locale, locale_language, say, speaking

# A notebook's cell shows so many; more would be slow to draw and nobody would look at them.
_SHOWN = 20
# A notebook stays a notebook.
_MOST_MB = 16
# Pixels, until the page has told how many it needs.
_HEIGHT = 320


def notebook_html(result: Result | list[Any]) -> str:
    """A result as HTML for a notebook's cell; of many, the first twenty, one below the other."""
    if isinstance(result, list):
        return _list(result)
    if type(result) not in RENDERERS:
        raise InputError(f"cannot draw a {type(result).__name__}: expected one of attnscope's results")
    options = {"max_mb": _MOST_MB} if isinstance(result, AttentionMaps) else {}
    page = render(result, ".html", **options).decode()
    title = re.search("<title>(.*?)</title>", page, re.DOTALL)
    return _frame(page, html.unescape(title[1]) if title else "")


def _frame(page: str, title: str) -> Markup:
    parts = {"title": title, "height": str(_HEIGHT), "follow": quoted(_follow()), "page": quoted(page)}
    return Markup(filled(viewer("notebook/cell.html"), **parts).strip())


@cache
def _follow() -> str:
    """What the frame runs when it has loaded: the function of the viewer's module, called with the frame."""
    source = viewer("notebook/cell.js")
    return f"({source[source.index('function follow') :].strip()})(this)"


def _list(results: list[Any]) -> str:
    parts = [
        str(el("p", None, _failed(place, result))) if isinstance(result, Failed) else notebook_html(result)
        for place, result in enumerate(results[:_SHOWN])
    ]
    if len(results) > _SHOWN:
        with speaking(locale_language()):
            more = say('… and {count} more: attnscope.save(results, "pages")', count=f"{len(results) - _SHOWN:,}")
        parts.append(str(el("p", None, more)))
    return "\n".join(parts)


def _failed(place: int, failed: Failed) -> str:
    """In the language of the user's surroundings, as an error in a notebook is."""
    with speaking(locale_language()):
        return say("text {place}: {failed}", place=place, failed=in_locale(str(failed)))
