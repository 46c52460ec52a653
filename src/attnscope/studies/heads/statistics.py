"""Statistics of each head on each text, from rows that stream by: no map is kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import AttnscopeError
from attnscope.methods.attention.maps import attention_maps
from attnscope.models.loading.load import Model
from attnscope.results.attention_maps import AttentionMaps
from attnscope.results.corpus.head_profiles import Place
from attnscope.studies.effects.head_effects import head_effects

OF_TEXTS = ("entropy", "distance", "sink", "special", "previous", "same_word", "first")


@dataclass(frozen=True)
class Explained:
    """The target that heads have an effect on, and what it is compared with; None: no effects are measured."""

    target: Any = None
    against: Any = None


def effects_of(
    model: Model, text: Any, reading: dict[str, Any], explained: Explained, places: tuple[Place, ...]
) -> NDArray[np.float64]:
    """(head,) The effect of each head on the target, to first order; NaN where it cannot be measured on this text."""
    try:
        found = head_effects(model, text, explained.target, against=explained.against, exact=0, **reading)
    except AttnscopeError:
        return np.full(len(places), np.nan)
    layers = {layer: row for row, layer in enumerate(found.layers)}
    return np.array([found.estimates[0, layers[layer], head] if layer in layers else np.nan for layer, head in places])


def statistics_of(
    model: Model, texts: Sequence[Any], reading: dict[str, Any]
) -> Iterator[tuple[int, tuple[Place, ...], NDArray[np.float64]]]:
    """Of each text that can be read its index, the heads, and the values (statistic of OF_TEXTS, head)."""
    for index, maps in _maps(model, list(range(len(texts))), texts, reading):
        places = tuple((layer, head) for layer in maps.layers for head in maps.heads)
        yield index, places, values_of(maps)


def values_of(maps: AttentionMaps) -> NDArray[np.float64]:
    """(statistic of OF_TEXTS, layer · head) of one text."""
    found = maps.statistics
    rows = {
        "entropy": found["entropy"].mean(-1),
        "distance": found["distance"],
        "sink": found["received"].max(-1),
        "special": found["special"].mean(-1),
        "previous": found["previous"],
        "same_word": found["same_word"],
        "first": found["first"],
    }
    return np.stack([np.asarray(rows[name], dtype=np.float64).ravel() for name in OF_TEXTS])


def _maps(
    model: Model, members: list[int], texts: Sequence[Any], reading: dict[str, Any]
) -> Iterator[tuple[int, AttentionMaps]]:
    """Each text's statistics. A text that cannot be read has none; which of several that is, halves find out."""
    if not members:
        return
    try:
        found = attention_maps(model, [texts[i] for i in members], maps=False, top=0, **reading)
    except AttnscopeError:
        if len(members) == 1:
            return
        for half in (members[: len(members) // 2], members[len(members) // 2 :]):
            yield from _maps(model, half, texts, reading)
        return
    yield from zip(members, found, strict=True)
