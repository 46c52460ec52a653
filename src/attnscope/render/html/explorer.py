"""A whole model's attention as one page: opened from disk, nothing loaded, every layer and head at hand.

The problems it solves:
- It paints before it is fully parsed: tokens, statistics and a thumbnail of every map come first, then each map in an
  inert element of its own (one giant literal would exceed the longest string that browsers allow).
- Nothing in the text can run: the data is inert JSON and base64, the viewer writes nothing but text, and a content
  security policy allows this script and this style by their hashes, and no network.
- It has a budget. The page says what was left out to stay within it, and what share of the attention is kept.

The viewer's files and the format are described in `viewer/README.md`.
"""

import base64
import json
from collections.abc import Callable, Sequence
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np

from attnscope.errors import InputError, NonFiniteError
from attnscope.render.colours import DARK_SIGNED, LIGHT_SIGNED
from attnscope.render.content.caption import caption_of, followed, notes_of_maps
from attnscope.render.content.pieces import visible
from attnscope.render.html.bundle import page_script, script, template, viewer
from attnscope.render.html.effects.beside_maps import Effects, effects_beside
from attnscope.render.html.escape import Markup, filled, joined, raw_text
from attnscope.render.html.languages import in_languages
from attnscope.render.html.map_encoding import Coding, Packed, Place, fitted, packed_thumbnails, size
from attnscope.render.html.page import JSON_ESCAPES, digest, framed, root
from attnscope.render.palettes import PALETTES
from attnscope.results.attention_maps import AttentionMaps, TextSide
from attnscope.results.attribution import Attribution
from attnscope.translation import say, speaking, spoken

_VIEWER, _WORKER = "explorer/explorer.js", "explorer/worker.js"
_MB = 1_000_000
_ELEMENT = 80  # bytes around a map


def render_html(
    maps: AttentionMaps,
    *,
    max_mb: float = 64,
    quality: str = "standard",
    flow: Sequence[Attribution] = (),
    effects: Effects | Sequence[Effects] = (),
    dark: bool | None = None,
    lang: str | None = None,
) -> bytes:
    """The page, UTF-8.

    max_mb:  how large the file may be; beyond that the coding gets coarser, then layers are left out.
    quality: "standard" (a weight is off by at most 0.2 % of its row's largest) or "high" (finer for small weights, at
             twice the size or more).
    flow:    results on the same text, such as rollout or attention × gradient, to show beside the maps.
    effects: of the heads that the maps are of (`head_effects`), to sort and colour heads by and to hold against their
             attention; of the words of the text (`edge_effects`, or a signed result such as that of "deletion"), to
             show what matters beside what is attended to; or a list of both.
    dark:    None follows the reader's system; the page has a switch either way.
    lang:    "en" or "ja"; None is the language of the reader's browser.
    """
    if not max_mb > 0:
        raise InputError(f"max_mb={max_mb!r}: expected megabytes above 0, such as 64")
    if quality not in ("standard", "high"):
        raise InputError(f'quality={quality!r}: expected "standard" or "high"')
    for result in flow:
        if not isinstance(result, Attribution) or result.text != maps.key_side.text:
            raise InputError("flow: expected results (Attribution) of the text that the maps are of")
    with speaking(lang or "en"):
        manifest = manifest_of(maps, flow)
        beside = effects_beside(maps, effects)
        manifest |= {"notes": [*manifest["notes"], *beside["notes"]], "matters": beside["matters"]}
    manifest["statistics"] |= {name: _rounded(array) for name, array in beside["statistics"].items()}
    streams: dict[Place, Packed] = {}
    coding = Coding(1, 127, True) if maps.signed else Coding(1, 255)
    thumbnails = b""
    if maps.codes is not None:
        places = [(layer, head) for layer in range(len(maps.layers)) for head in range(len(maps.heads))]
        thumbnails = packed_thumbnails(maps, places)
        room = max_mb * _MB - len(_json(manifest)) - len(thumbnails) * 4 / 3 - _fixed() - _ELEMENT * len(places)
        coding, streams = fitted(maps, quality, room)
    manifest |= _coded(maps, coding, streams, max_mb)
    head = _head(manifest, thumbnails, dark, lang, lambda: _words(maps, flow, effects))
    return b"".join((head, *_elements(streams), b"</body>\n</html>\n"))


def manifest_of(maps: AttentionMaps, flow: Sequence[Attribution]) -> dict[str, Any]:
    """Everything but the maps themselves, as documented in the viewer's README."""
    sides = [maps.query_side] if maps.key_side == maps.query_side else [maps.query_side, maps.key_side]
    statistics = {
        name: np.asarray(column, dtype=np.float64).reshape(len(maps.layers), len(maps.heads))
        for name, column in maps.columns().items()
        if name not in ("layer", "head")
    }
    if "received" in maps.statistics and len(maps.keys):
        statistics["sink"] = np.asarray(maps.statistics["received"]).max(-1)
    for name, array in statistics.items():
        if not np.isfinite(array).all():
            raise NonFiniteError(f'the statistic {name!r} is not finite: the model overflowed; try dtype="float32"')
    return {
        "schema": 1,
        **_words(maps, flow),
        "version": metadata.version("attnscope"),
        "provenance": {name: visible(str(value)) for name, value in maps.provenance.items() if value is not None},
        "kind": maps.asked.stack,
        "sides": [_side(side) for side in sides],
        "layers": list(maps.layers),
        "heads": list(maps.heads),
        "queries": list(maps.queries),
        "keys": list(maps.keys),
        "continued": maps.measured.continued_at,
        "statistics": {name: _rounded(array) for name, array in statistics.items()},
        "palettes": {name: [list(each.steps) for each in pair] for name, pair in PALETTES.items()},
        "signed": [list(LIGHT_SIGNED.steps), list(DARK_SIGNED.steps)],
    }


def _words(
    maps: AttentionMaps, flow: Sequence[Attribution], effects: Effects | Sequence[Effects] = ()
) -> dict[str, Any]:
    """What the manifest says, in the language that is spoken."""
    beside = effects_beside(maps, effects)
    matters = beside["matters"] and {"about": beside["matters"]["about"]}
    notes = [*notes_of_maps(maps), *beside["notes"]]
    return {"title": _title(maps), "notes": notes, "flow": [_flow(result) for result in flow], "matters": matters}


def _coded(maps: AttentionMaps, coding: Coding, streams: dict[Place, Packed], max_mb: float) -> dict[str, Any]:
    """How the streams are coded, what share of the mass they kept, and what was left out."""
    kept_mass = [stream.kept for stream in streams.values()]
    coded_layers = {layer for layer, _ in streams}
    return {
        "coding": {"power": coding.power, "top": coding.top, "signed": coding.signed},
        "thumbnails": maps.codes is not None,
        "missing": [] if maps.codes is None else [n for i, n in enumerate(maps.layers) if i not in coded_layers],
        "kept": {"mean": round(sum(kept_mass) / len(kept_mass), 4), "worst": round(min(kept_mass), 4)}
        if kept_mass
        else None,
        "megabytes": [round(size(streams) / _MB, 2), max_mb],
    }


def _side(side: TextSide) -> dict[str, Any]:
    """Tokens as [start, end, special, name if it is not in the text]; words as [start, end, tokens]."""
    return {
        "text": side.text,
        "tokens": [
            [t.start, t.end, int(t.special), *([t.text] if t.text != side.text[t.start : t.end] else [])]
            for t in side.tokens
        ],
        "words": [[w.start, w.end, list(w.tokens)] for w in side.words],
    }


def _flow(result: Attribution) -> dict[str, Any]:
    caption = caption_of(result)
    return {
        "title": caption.title,
        "facts": [[say(name), value] for name, value in caption.facts if name not in ("words", "tokens")],
        "notes": followed(result.measured),
        "signed": result.signed,
        "words": [[word.start, word.end, float(f"{word.score:.6g}")] for word in result.words],
    }


def _rounded(array: "np.ndarray[Any, Any]") -> list[list[float]]:
    return [[float(f"{value:.4g}") for value in row] for row in array.tolist()]


def _title(maps: AttentionMaps) -> str:
    names = {
        "cross": say("Cross-attention"),
        "encoder": say("Encoder attention"),
        "decoder": say("Decoder attention"),
    }
    what = say("Linear attention") if maps.signed else names.get(maps.asked.stack, say("Attention"))
    model = maps.provenance.get("model")
    name = visible(str(model)).rstrip("/").rsplit("/", 1)[-1]
    return say("{attention} of {model}", attention=what, model=name) if model else what


def _head(
    manifest: dict[str, Any],
    thumbnails: bytes,
    dark: bool | None,
    lang: str | None,
    words: Callable[[], dict[str, Any]],
) -> bytes:
    code, worker, style = page_script(_VIEWER), script(_WORKER), viewer("base.css") + viewer("explorer/explorer.css")
    data = filled(
        viewer("explorer/data.html"),
        json=raw_text(_json(manifest)),
        thumbnails=base64.b64encode(thumbnails).decode(),
        worker=raw_text(worker),
        script=raw_text(code),
    )
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; worker-src blob:; img-src blob: data:; "
        f"script-src '{digest(code)}'; style-src '{digest(style)}'"
    )

    def page() -> Markup:
        body = filled(template("explorer/explorer.html"), title=words()["title"])
        return framed(body, title=words()["title"], style=style, policy=policy, root=root(spoken(), dark))

    return joined((in_languages(page, code, lang, words), data)).encode("utf-8", "backslashreplace")


def _elements(streams: dict[Place, Packed]) -> list[bytes]:
    return [
        b'<script type="application/octet-stream" id="map-%d-%d">%s</script>\n'
        % (*place, base64.b64encode(stream.data))
        for place, stream in streams.items()
    ]


def _json(manifest: dict[str, Any]) -> str:
    return json.dumps(manifest, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(JSON_ESCAPES)


@cache
def _fixed() -> int:
    """The bytes of what is the same on every page, with some margin."""
    return (
        sum(
            map(
                len,
                (
                    page_script(_VIEWER),
                    script(_WORKER),
                    viewer("base.css") + viewer("explorer/explorer.css"),
                    viewer("explorer/explorer.html"),
                    viewer("explorer/data.html"),
                ),
            )
        )
        + 4_000
    )
