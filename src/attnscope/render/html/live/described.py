"""What Python says about a result, as data: for viewers whose result comes while the page is open.

A page from disk holds the same words as HTML; the playground's page puts them into the same elements itself.
"""

import zlib
from base64 import b64encode
from typing import Any

from attnscope.render.content.caption import caption_of, headline, plural, query_text, singular, unit
from attnscope.render.html.attribution import ranked
from attnscope.render.html.explorer import manifest_of
from attnscope.render.html.map_encoding import Coding, pack, row_lengths, thumbnail
from attnscope.render.html.page import language, own_language
from attnscope.render.html.per_token import notes_of, scale_of, title_of
from attnscope.results.attention_maps import AttentionMaps
from attnscope.results.attribution import Attribution
from attnscope.results.per_token import PerToken
from attnscope.translation import say


def described(result: Attribution | PerToken) -> dict[str, Any]:
    """The result's documented JSON, and what its page says around it, by the names of the page's parts."""
    whole = result.by_character() if isinstance(result, PerToken) else result
    first = whole.first if isinstance(whole, PerToken) else whole
    caption = caption_of(first)
    said = headline(first) if isinstance(whole, Attribution) else None
    query = query_text(first) if isinstance(whole, Attribution) else ""
    shown = {
        "title": (title_of(whole) if isinstance(whole, PerToken) else caption.title).strip(),
        "lang": language(first.text),
        "textLang": own_language(first.text),
        "signed": first.signed,
        "facts": [[say(name.strip()), value.strip()] for name, value in _facts(whole, caption.facts)],
        "answer": None if said is None else {"text": said[0], "probability": said[1], "lang": own_language(said[0])},
        "unit": unit(first).strip(),
        "per": singular(first),
        "units": plural(first),
        "ranked": ranked(first),
        "query": query.strip(),
        "scale": scale_of(first) if isinstance(whole, PerToken) else caption.scale,
        "notes": [note.strip() for note in (notes_of(whole) if isinstance(whole, PerToken) else caption.notes)],
        "provenance": [f"{name.strip()} {value.strip()}" for name, value in caption.provenance],
    }
    return {"type": whole.type, "result": whole.to_json(), "shown": shown}


def _facts(whole: Attribution | PerToken, facts: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Of several tokens, those that hold for all."""
    own = ("target_token", "value", "probability") if isinstance(whole, PerToken) else ()
    return [fact for fact in facts if fact[0] not in own]


def described_maps(maps: AttentionMaps) -> dict[str, Any]:
    """The manifest of maps that are asked for one by one (the viewer's README): every map is there, none is sent."""
    coding = _coding(maps)
    return {
        **manifest_of(maps, ()),
        "coding": {"power": coding.power, "top": coding.top, "signed": coding.signed},
        "thumbnails": True,
        "missing": [],
        "kept": None,
        "megabytes": [0, 0],
    }


def stream_of(maps: AttentionMaps) -> str:
    """The stream of the first of these maps, in base64."""
    assert maps.codes is not None
    assert maps.largest is not None
    packed = pack(maps.codes[0, 0], maps.largest[0, 0], row_lengths(maps), _coding(maps))
    return b64encode(packed.data).decode()


def outlines_of(maps: AttentionMaps) -> bytes:
    """The thumbnails of all of these maps, one after the other."""
    assert maps.codes is not None
    assert maps.largest is not None
    return b"".join(
        thumbnail(codes, largest).tobytes()
        for layer, of_layer in zip(maps.codes, maps.largest, strict=True)
        for codes, largest in zip(layer, of_layer, strict=True)
    )


def deflated(data: bytes) -> str:
    """Bytes as the viewer reads them: deflated, in base64."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    return b64encode(deflate.compress(data) + deflate.flush()).decode()


def _coding(maps: AttentionMaps) -> Coding:
    return Coding(1, 127, True) if maps.signed else Coding(1, 255)
