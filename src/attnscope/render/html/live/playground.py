"""The playground's page: nothing in it but places for texts, results and pictures that come while it is open.

The viewers are those of the pages from disk. Each is a `<template>` with the elements that its page has, without words;
the playground's script copies it for each result and starts the viewer's own module on the copy.
"""

import json
from collections.abc import Sequence
from typing import Any

from attnscope.render.html.attribution import keys as attribution_keys
from attnscope.render.html.bundle import page_script, template, viewer
from attnscope.render.html.escape import Markup, el, filled, joined, raw_text
from attnscope.render.html.languages import in_languages
from attnscope.render.html.page import (
    JSON_ESCAPES,
    chosen,
    colour_rules,
    digest,
    framed,
    reading_body,
    root,
    sheets,
    sizes,
)
from attnscope.render.html.per_token import keys as per_token_keys
from attnscope.translation import say, spoken

_FOLDER = "playground"
_MODULE = f"{_FOLDER}/playground.js"
# How a page asks: a server, or the notebook that it is a frame of.
_SERVER = (f"{_FOLDER}/server_source.js", "ServerSource")
_CHANNEL = (f"{_FOLDER}/channel_source.js", "ChannelSource")
_STYLES = (
    "base.css", "explorer/explorer.css", "reading/reading.css", "reading/per_token.css", f"{_FOLDER}/playground.css",
)  # fmt: skip
# What may be tried at once: a text of its own sort in each language.
EXAMPLES: tuple[tuple[str, str, str], ...] = (
    ("en", "A fact", "The Eiffel Tower is in Paris. The capital of Japan is"),
    ("en", "A name to remember", "When Mary and John went to the store, John gave a drink to"),
    ("en", "A feeling", "The film was slow, the actors were bored and the ending was silly. All in all it was"),
    ("en", "A pattern", "cat: animal, rose: plant, trout: animal, oak:"),
    ("ja", "事実", "日本の首都は東京です。フランスの首都は"),
    ("ja", "物語", "昔々、あるところに、おじいさんとおばあさんが住んでいました。ある日、おじいさんは山へ"),
)


def playground_page(
    models: Sequence[str], methods: Sequence[tuple[str, str]], *, fragment: str | None = None, lang: str | None = None
) -> tuple[bytes, str]:
    """The page, UTF-8, and the policy that has to come with it.

    models: their names. methods: each one's name, and what its scores are. fragment: the state that a page in a
    notebook begins with; None for a page that a server hands out. lang: None is the language of the reader's browser.
    """
    notebook = fragment is not None
    setup: dict[str, Any] = {
        "models": list(models),
        "methods": [list(method) for method in methods],
        "examples": [list(example) for example in EXAMPLES],
        "fragment": fragment or "",
    }
    code = page_script(_MODULE, *(_CHANNEL if notebook else _SERVER), addressed=notebook)
    style = sheets(*_STYLES[:2], sizes(80, 18), colour_rules(False), colour_rules(True, "[data-signed]"), *_STYLES[2:])
    reached = "'none'" if notebook else "'self'"
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        f"connect-src {reached}; img-src blob: data:; script-src '{digest(code)}'; style-src '{digest(style)}'"
    )
    # A page cannot forbid frames itself: the server's header does.
    own = policy.replace("frame-ancestors 'none'; ", "")

    def page() -> Markup:
        body = filled(
            template(f"{_FOLDER}/playground.html"),
            importance=_importance(),
            tokens=_tokens(),
            maps=filled(template("explorer/explorer.html"), title=""),
        )
        return framed(body, title=say("attnscope playground"), style=style, policy=own, root=root(spoken(), None))

    data = filled(
        viewer(f"{_FOLDER}/data.html"),
        setup=raw_text(json.dumps(setup).translate(JSON_ESCAPES)),
        script=raw_text(code),
    )
    return joined((in_languages(page, code, lang), data)).encode(), policy


def _part(tag: str, name: str, classes: str | None = None) -> Markup:
    return el(tag, {"data-part": name, "class": classes})


def _importance() -> Markup:
    """The page of one result, without words."""
    return reading_body(
        "reading/attribution.html",
        title="",
        facts=Markup(""),
        choice=chosen(say("Units"), "unit", (("word", say("words")), ("token", say("tokens")))),
        keys=attribution_keys(),
        answer=_part("p", "answer", "answer"),
        ranked="",
        text="",
        lang="",
        ticks="",
        unit="",
        per=_part("span", "per"),
        means="",
        kind="",
        scale="",
        query=_part("p", "query", "asked"),
        notes=_part("div", "notes"),
        top="",
        provenance="",
    )


def _tokens() -> Markup:
    """The page of a result per token, without words."""
    return reading_body(
        "reading/per_token.html",
        title="",
        choice=chosen(say("Range of the colours"), "range", (("own", say("own range")), ("one", say("one range")))),
        keys=per_token_keys(),
        targets="",
        text="",
        lang="",
        ticks="",
        unit="",
        about="",
        value="",
        matrix="",
        each="",
        notes=_part("div", "notes"),
        scale=_part("span", "scale"),
        provenance="",
    )
