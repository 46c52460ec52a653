"""What a picture says about itself, in words: the same facts under every renderer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attnscope.render.content.pieces import query_words, visible
from attnscope.results.attribution import Attribution

_LONGEST = 120
# Parameters that are shown on the picture, or said in a sentence below, rather than listed.
_NOTED = ("query_tokens", "standard_error", "completeness_error", "fixed", "segments")


@dataclass(frozen=True)
class Caption:
    """title: one short line. facts: (name, value) of how the result was made, the most telling first.

    scale: how colours follow from raw scores, a sentence. notes: further sentences that the picture needs.
    provenance: (name, value) of the versions behind the numbers.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    scale: str
    notes: tuple[str, ...]
    provenance: tuple[tuple[str, str], ...]

    def line(self) -> str:
        """The facts on one line."""
        return "  ·  ".join(f"{name} {value}" for name, value in self.facts)


def caption_of(result: Attribution) -> Caption:
    """The Caption of `result`. Parameters it has never heard of are shown as they are."""
    query = query_text(result)
    facts: dict[str, str] = {}
    model = result.provenance.get("model")
    if model:
        facts["model"] = _value(model)
    facts["method"] = result.method
    for key, value in result.parameters.items():
        if key not in _NOTED and value is not None:
            facts[key] = _value(value)
    if query:
        facts["query"] = f"“{query}”"
    elif "query" in result.parameters:
        asked = result.parameters["query"]
        facts["query"] = "mean over all" if asked is None else _value(asked)
    facts["words"] = f"{len(result.words):,}"
    facts["tokens"] = f"{len(result.tokens):,}"
    return Caption(
        title=_title(result, query),
        facts=tuple(facts.items()),
        scale=_scale(result),
        notes=(*_excluded(result), *_trust(result)),
        provenance=tuple((k, _value(v)) for k, v in result.provenance.items() if k != "model" and v is not None),
    )


def query_text(result: Attribution) -> str:
    """The words whose attention was asked for, as one string; empty where there are none."""
    return visible(" ".join(result.words[i].text.strip() for i in query_words(result)[:8]))


def limits(result: Attribution) -> tuple[float, float]:
    """The ends of the legend: smallest and largest raw word score; signed, the largest magnitude on both sides."""
    if not result.words:
        return 0.0, 0.0
    if result.signed:
        largest = float(abs(result.scores).max())
        return -largest, largest
    return float(result.scores.min()), float(result.scores.max())


def number(value: float) -> str:
    """Four significant digits, as the viewer's `number` writes them.

    >>> number(0.0123456), number(12.0), number(0.00001)
    ('0.01235', '12', '1e-5')
    """
    # Plus zero, or a negative zero would keep its sign.
    return f"{value + 0.0:.4g}".replace("e-0", "e-").replace("e+0", "e+")


def unit(result: Attribution) -> str:
    """What a raw score measures, for the legend."""
    return "share of attention" if result.kind == "attention" else f"{result.method} score"


def _title(result: Attribution, query: str) -> str:
    if result.kind == "attention":
        return f"Attention from “{query}”" if query else "Attention"
    return f"Importance by {result.method.replace('_', ' ')}"


def _scale(result: Attribution) -> str:
    low, high = limits(result)
    if not result.words:
        return "There are no words to colour."
    if result.signed and high > 0:
        return (
            f"Blue words lower the target, red words raise it; colours run from {number(low)} to {number(high)}, "
            "with 0 in the middle."
        )
    if low == high:
        return f"Every word scores {number(low)}, so all have the middle colour."
    return f"Colours run min–max over the words, from {number(low)} to {number(high)}."


def _excluded(result: Attribution) -> tuple[str, ...]:
    mass = result.excluded_mass
    if mass is None:
        return ()
    return (f"{mass:.1%} of the attention went to special tokens, which are left out of the picture.",)


def _trust(result: Attribution) -> tuple[str, ...]:
    """How far the numbers can be trusted, where the method knows."""
    notes = []
    missed = result.parameters.get("completeness_error")
    if isinstance(missed, int | float):
        notes.append(f"Completeness error: the scores miss the change that they add up to by {number(float(missed))}.")
    errors = result.parameters.get("standard_error")
    if isinstance(errors, list | tuple) and errors and all(isinstance(e, int | float) for e in errors):
        notes.append(f"Standard error of a score: at most {number(float(max(errors)))}.")
    fixed = result.parameters.get("fixed")
    if isinstance(fixed, list | tuple) and fixed:
        where = [result.tokens[i].text for i in fixed if type(i) is int and 0 <= i < len(result.tokens)]
        notes.append(f"The target stands on {visible(' '.join(where).strip())}.")
    segments = result.parameters.get("segments")
    if isinstance(segments, Mapping) and segments:
        notes.append(f"Segments in order: {_value(list(segments))}.")
    return tuple(notes)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, float):
        text = number(value)
    elif isinstance(value, Mapping):
        text = ", ".join(f"{k} {_value(v)}" for k, v in value.items())
    elif isinstance(value, list | tuple):
        text = ", ".join(_value(v) for v in value)
    else:
        text = visible(str(value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
