"""`ats.head_profiles`: what each head of a model does, over texts."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from attnscope.errors import InputError
from attnscope.methods.build import provenance
from attnscope.models.default_settings import default_settings
from attnscope.models.loading.load import Model, load
from attnscope.models.progress import long_run
from attnscope.results.corpus.head_profiles import EXAMPLE, HeadProfiles, HeadSums
from attnscope.studies.heads.probes import probed
from attnscope.studies.heads.statistics import OF_TEXTS, Explained, effects_of, statistics_of

# Texts whose statistics are held at a time.
_TOGETHER = 64


def head_profiles(
    model: Model,
    texts: Iterable[Any],
    *,
    target: Any = None,
    against: Any = None,
    other: Model | None = None,
    **reading: Any,
) -> HeadProfiles:
    """Per layer and head the mean over texts of statistics of its rows.

    PROFILE in `attnscope.results.corpus.head_profiles` has their formulas and papers.

    texts:   any iterable of texts or chats, read as a stream; no map is kept. A text that cannot be read is left out.
    target, against: also profile the effect of each head on this target, as `head_effects` estimates it from a forward
             and a backward pass a text.
    other:   another model, or the same before fine-tuning, side by side: its heads on the same texts.
    reading: chat, truncate, tools, chat_template_kwargs, as in `attention_maps`.

    Each statistic has an interval over texts (mean ± 1.96 standard errors) and the texts in which it is largest.
    "induction", "copying" and "retrieval" are measured on random tokens, and only in causal models. What a head attends
    to is not what the model relies on: to see what changes without it, knock it out.

    Raises InputError for no text that can be read, and what `attention_maps` raises for the model.

    >>> profiles = ats.head_profiles(model, ["The black cat slept by the fire.", "Nobody had seen the dog."])
    >>> profiles.strongest_heads("induction", 2)
    [(18, 6), (17, 4)]
    """
    model = load(model)
    given = list(texts) if other is not None else texts
    explained = Explained(target, against)
    profiles = _profiles(model, given, reading, explained)
    if other is None:
        return profiles
    beside = _profiles(load(other), given, reading, explained)
    return replace(profiles, other=beside)


@default_settings()
def _profiles(model: Model, texts: Iterable[Any], reading: dict[str, Any], explained: Explained) -> HeadProfiles:
    sums: HeadSums | None = None
    examples: dict[int, str] = {}
    total = len(texts) if isinstance(texts, Sequence) else None
    number = 0
    with long_run("texts", total) as pace:
        for window in _windows(texts):
            sums = add_texts(model, window, range(number, number + len(window)), reading, sums, explained)
            if sums is not None:
                examples |= {number + i: str(text)[:EXAMPLE] for i, text in enumerate(window)}
                kept = set(sums.numbers.ravel().tolist())
                examples = {n: text for n, text in examples.items() if n in kept}
            number += len(window)
            pace.advance(len(window))
    if sums is None:
        raise InputError("there is no text that the model can read: give one or more")
    return HeadProfiles.of([sums, *probed(model, sums.places)], examples, provenance(model))


def add_texts(
    model: Model,
    texts: Sequence[Any],
    numbers: Sequence[int],
    reading: dict[str, Any],
    sums: HeadSums | None = None,
    explained: Explained | None = None,
) -> HeadSums | None:
    """The sums with these texts added; None while no text could be read."""
    for index, places, values in statistics_of(model, texts, reading):
        if explained is not None and explained.target is not None:
            values = np.concatenate([values, effects_of(model, texts[index], reading, explained, places)[None]])
        if sums is None:
            sums = HeadSums((*OF_TEXTS, "effect")[: len(values)], places)
        sums.add(values, numbers[index])
    return sums


def _windows(texts: Iterable[Any]) -> Iterable[list[Any]]:
    waiting: list[Any] = []
    for text in texts:
        waiting.append(text)
        if len(waiting) == _TOGETHER:
            yield waiting
            waiting = []
    if waiting:
        yield waiting
