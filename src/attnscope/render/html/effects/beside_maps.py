"""Effects that the explorer shows beside attention: of its heads, and of the words of its text."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from attnscope.errors import InputError
from attnscope.render.content.caption import caption_of
from attnscope.results.attention_maps import AttentionMaps
from attnscope.results.attribution import Attribution
from attnscope.results.effects.edge_effects import EdgeEffects
from attnscope.results.effects.head_effects import HeadEffects
from attnscope.text.visible import visible
from attnscope.translation import say, told

Effects = HeadEffects | EdgeEffects | Attribution


def effects_beside(maps: AttentionMaps, given: Effects | Sequence[Effects]) -> dict[str, Any]:
    """What the manifest gets of them: "statistics" of heads, "matters" of words, and "notes".

    Raises InputError for anything else, for two of a kind, and for effects of other heads or of another text.
    """
    found: dict[str, Any] = {"statistics": {}, "matters": None, "notes": []}
    for one in given if isinstance(given, list | tuple) else [given]:
        if isinstance(one, HeadEffects):
            if found["statistics"]:
                raise InputError("effects: there are two of heads, and one can be shown: choose one")
            shown = effects_of_heads(maps, one)
            found["statistics"] = {"effect": shown, "effect_size": np.abs(shown)}
            target, agreement = told(visible(one.of())), told(one.agreement())
            found["notes"].append(
                say("Effects of heads: on the {target}; {agreement}.", target=target, agreement=agreement)
            )
        elif isinstance(one, EdgeEffects | Attribution):
            if found["matters"]:
                raise InputError("effects: there are two of words, and one can be shown: choose one")
            found["matters"] = _of_edges(maps, one) if isinstance(one, EdgeEffects) else _of_words(maps, one)
        else:
            raise InputError(
                "effects: expected what ats.head_effects, ats.edge_effects or, for words, ats.explain gives, not "
                f"{type(one).__name__}"
            )
    return found


def effects_of_heads(maps: AttentionMaps, effects: HeadEffects) -> "np.ndarray[Any, Any]":
    """(layer, head) Of the heads that the maps are of: the exact effect where it is known, else the estimate."""
    rows = {layer: row for row, layer in enumerate(effects.layers)}
    for layer in maps.layers:
        if layer not in rows or effects.heads[rows[layer]] <= max(maps.heads) or maps.asked.stack != effects.stack:
            raise InputError(
                f"effects: there are none of layer {layer} with heads up to {max(maps.heads)} of the attention "
                f"{maps.asked.stack!r}: take the effects of the model and the attention that the maps are of"
            )
    return effects.best[np.ix_([rows[layer] for layer in maps.layers], list(maps.heads))]


def _of_edges(maps: AttentionMaps, effects: EdgeEffects) -> dict[str, Any]:
    """Of each word a value a layer of the maps."""
    rows = {layer: row for row, layer in enumerate(effects.layers)}
    missing = [layer for layer in maps.layers if layer not in rows]
    if missing or maps.asked.stack != effects.stack:
        raise InputError(
            f"effects: those of edges are of the attention {effects.stack!r} in layers {list(effects.layers)}, and the "
            f"maps of {maps.asked.stack!r} in {list(maps.layers)}: take both of the same"
        )
    if not effects.places:
        raise InputError("effects: those of edges have no places in a text: take those of the text that the maps show")
    _same_text(maps, effects.texts[0])
    about = say(
        "effect on the {target} when {queries} may not look at a word {around}",
        target=told(effects.of()),
        queries=told(effects.queries),
        around=told(effects.around()),
    )
    values = effects.effect[:, [rows[layer] for layer in maps.layers]].T
    return _matters(about, effects.places, values, by_layer=True)


def _of_words(maps: AttentionMaps, result: Attribution) -> dict[str, Any]:
    """Of each word one value, the same for every layer."""
    _same_text(maps, result.text)
    if not result.signed:
        raise InputError(
            f"effects: {result.method} has no signs, so it does not say what words do to a target: take one that has "
            'them, such as explain(…, "deletion", signed=True), or show it by flow=[…]'
        )
    caption = caption_of(result)
    about = " · ".join([caption.title, *(f"{say(name)} {value}" for name, value in caption.facts if name == "target")])
    places = [(word.start, word.end) for word in result.words]
    return _matters(about, places, np.array([[word.score for word in result.words]]), by_layer=False)


def _matters(
    about: str, places: Sequence[tuple[int, int]], values: "np.ndarray[Any, Any]", *, by_layer: bool
) -> dict[str, Any]:
    order = sorted(range(len(places)), key=lambda i: places[i])
    # Of words that share characters, such as one given twice, the first is shown.
    shown = [i for n, i in enumerate(order) if n == 0 or places[i][0] >= places[order[n - 1]][1]]
    return {
        "about": visible(about),
        "words": [list(places[i]) for i in shown],
        "by_layer": by_layer,
        "values": [[float(f"{value:.4g}") for value in row] for row in values[:, shown].tolist()],
    }


def _same_text(maps: AttentionMaps, text: str) -> None:
    if not maps.key_side.text.startswith(text):
        raise InputError("effects: those of words are of another text than the maps: take both of the same text")
