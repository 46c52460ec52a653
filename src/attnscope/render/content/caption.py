"""What a picture says about itself, in words: the same facts in every format."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, exp, floor, log10
from typing import Any

from attnscope.render.content.pieces import query_words, visible
from attnscope.results.attention_maps import AttentionMaps
from attnscope.results.attribution import Attribution
from attnscope.results.base import Measured
from attnscope.text.visible import model_name
from attnscope.translation import say, told

OF_SEVERAL_TOKENS = "A target of several tokens is scored on its own earlier tokens too."
_LONGEST = 120


@dataclass(frozen=True)
class Caption:
    """title: a short line. facts: (name, value) of how the result was made, the most telling first.

    scale: a sentence on how colours follow from raw scores. notes: further sentences that the picture needs.
    provenance: (name, value) of the versions behind the numbers.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    scale: str
    notes: tuple[str, ...]
    provenance: tuple[tuple[str, str], ...]

    def line(self) -> str:
        """The facts on one line."""
        return "  ·  ".join(f"{say(name)} {value}" for name, value in self.facts)


def caption_of(result: Attribution) -> Caption:
    """The Caption of `result`. All of the method's own options are shown as they are."""
    query = query_text(result)
    asked, measured = result.asked, result.measured
    probability = probability_of(result)
    target = None if asked.target is None else told(visible(asked.target))
    about: dict[str, Any] = {"target": target, "quantity": asked.quantity, "query": _query(result, query)}
    facts: dict[str, Any] = {
        "model": model_name(result.provenance.get("model") or "") or None,
        "method": result.method,
        **asked.options,
        **({} if measured.steps is None else {"steps": measured.steps}),
        "baseline_value": measured.baseline_value,
        "r_squared": measured.r_squared,
        # A query that the caller chose is more telling than what follows. A dict keeps the place of a repeated key.
        **(about if asked.query is not None else {}),
        "attention": None if asked.stack == "self" else asked.stack,
        "query_text": measured.query_text,
        "continued_at": measured.continued_at,
        "to_target": measured.to_target,
        "target": target,
        "quantity": asked.quantity,
        "target_token": asked.target_token,
        "probability": None if probability is None else share(probability),
        "value": measured.value,
        "chat": asked.chat or None,
        "tools": len(asked.tools) or None,
        **{f"template {name}": value for name, value in asked.chat_template_kwargs.items()},
        "truncate": asked.truncate or None,
        "unit": None if asked.unit == "word" else asked.unit,
        "within": asked.within,
        **about,
        plural(result): f"{len(result.words):,}",
        "tokens": f"{len(result.tokens):,}",
    }
    return Caption(
        title=_title(result, query),
        facts=tuple((visible(name), _value(value)) for name, value in facts.items() if value is not None),
        scale=_scale(result),
        notes=(*_excluded(result), *template_of(measured), *_trust(result)),
        provenance=tuple(
            (visible(k), _value(v)) for k, v in result.provenance.items() if k != "model" and v is not None
        ),
    )


def query_text(result: Attribution) -> str:
    """The query's words as one string; empty where there are none."""
    return visible(" ".join(result.words[i].text.strip() for i in query_words(result)[:8]))


def _query(result: Attribution, query: str) -> str | None:
    """The query, for the caption; None where the result has none."""
    asked = result.asked
    if query:
        return f"“{query}”"
    if asked.query is not None:
        return _value(asked.query)
    # With a target, the query is the positions that predict it.
    return say("mean over all") if result.family in ("attention", "flow") and asked.target is None else None


def singular(result: Attribution) -> str:
    """What is scored, as a word: "word", "segment"."""
    return say(_unit(result))


def plural(result: Attribution) -> str:
    """The same of several: "words", "segments"."""
    return say(f"{_unit(result)}s")


def _unit(result: Attribution) -> str:
    """The key of what is scored."""
    return "word" if result.asked.unit not in ("sentence", "segment") else result.asked.unit


def probability_of(result: Attribution) -> float | None:
    """How likely the explained answer is; None where something else is explained, or where it is not known."""
    value, quantity = result.measured.value, result.asked.quantity
    if value is None or len(result.measured.answer) != 1 or quantity not in ("log_probability", "probability"):
        return None
    return value if quantity == "probability" else exp(min(0.0, value))


def headline(result: Attribution) -> tuple[str, str] | None:
    """What is explained, as a text, and how likely it is; None where nothing is named or it has no probability.

    A contrast of two answers: how many times as likely the one is as the other.
    """
    answer, value = result.measured.answer, result.measured.value
    if len(answer) == 2 and value is not None and result.asked.quantity == "log_probability":
        times = exp(min(500.0, max(-500.0, value)))
        return visible(answer[0].strip()), say(
            "{times} times as likely as “{other}”", times=number(times), other=visible(answer[1].strip())
        )
    probability = probability_of(result)
    if probability is None or not answer[0].strip():
        return None
    return visible(answer[0].strip()), share(probability)


def share(probability: float) -> str:
    """A probability in percent.

    >>> share(0.7021), share(0.00001234)
    ('70.2 %', '0.001234 %')
    """
    percent = 100 * probability
    return f"{percent:.1f} %" if percent >= 1 else f"{number(percent)} %"


# A note shows so much of what a chat template wrote.
_LONGEST_TEMPLATE = 400


def template_of(measured: Measured) -> list[str]:
    """What a chat template wrote around the messages, its own system prompt above all; nothing for a plain text."""
    if not any(measured.template):
        return []
    written = visible(" … ".join(" ".join(piece.split()) for piece in measured.template).strip())
    if len(written) > _LONGEST_TEMPLATE:
        written = written[: _LONGEST_TEMPLATE - 1] + "…"
    return [
        say(
            "The chat template wrote this around the messages (…), which is read and not drawn: {written}",
            written=written,
        )
    ]


def limits(result: Attribution) -> tuple[float, float]:
    """The ends of the legend: smallest and largest raw word score; if signed, the largest magnitude on both sides."""
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
    # Adding zero drops the sign of a negative zero.
    return f"{value + 0.0:.4g}".replace("e-0", "e-").replace("e+0", "e+")


def unit(result: Attribution) -> str:
    """What a raw score measures, for the legend."""
    if result.family != "attention":
        return say("{method} score", method=visible(result.method))
    return say("weight of linear attention") if result.measured.mechanism else say("share of attention")


def _title(result: Attribution, query: str) -> str:
    if result.family == "attention":
        kind = say("Linear attention") if result.measured.mechanism else say("Attention")
        return say("{kind} from “{query}”", kind=kind, query=query) if query else kind
    method = visible(result.method)
    if result.family == "own":
        return say("Own scores") if result.method == "own" else say("Scores: {method}", method=method)
    return say("Importance by {method}", method=method.replace("_", " "))


def _scale(result: Attribution) -> str:
    low, high = limits(result)
    if not result.words:
        return say("There are no {units} to colour.", units=plural(result))
    if result.signed and high > 0 and result.family == "attention":
        return say(
            "Red words come in with a positive weight, blue words with a negative one; colours run from {low} to "
            "{high}, with 0 in the middle.",
            low=number(low),
            high=number(high),
        )
    if result.signed and high > 0:
        return say(
            "Blue {units} lower the target, red {units} raise it; colours run from {low} to {high}, with 0 in the "
            "middle.",
            units=plural(result),
            low=number(low),
            high=number(high),
        )
    if low == high:
        return say(
            "Every {unit} scores {score}, so all have the middle colour.", unit=singular(result), score=number(low)
        )
    return say(
        "Colours run min–max over the {units}, from {low} to {high}.",
        units=plural(result),
        low=number(low),
        high=number(high),
    )


def followed(measured: Measured) -> list[str]:
    """That attention was not followed through every layer that mixes tokens; nothing where it was."""
    if measured.coverage is None:
        return []
    seen, of = measured.coverage
    return [
        say(
            "Attention was followed through {seen} of {all} layers; the others have no attention weights.",
            seen=seen,
            all=of,
        )
    ]


def notes_of_maps(maps: AttentionMaps) -> list[str]:
    """What pictures of maps say beside them: their kind, layers that are not there, and what a chat template wrote."""
    notes = [*_unrolled(maps.measured), *template_of(maps.measured)]
    if maps.measured.coverage is not None:
        seen, of = maps.measured.coverage
        notes.append(say("{seen} of {all} layers are shown; the others have no attention weights.", seen=seen, all=of))
    return notes


def _excluded(result: Attribution) -> tuple[str, ...]:
    mass = result.excluded_mass
    if mass is None:
        return ()
    return (
        say("{share} of the attention went to special tokens, which are left out of the picture.", share=f"{mass:.1%}"),
    )


def _trust(result: Attribution) -> tuple[str, ...]:
    """How far the numbers can be trusted, where the method measures it."""
    notes = []
    measured = result.measured
    if measured.completeness_error is not None:
        missed = number(measured.completeness_error)
        notes.append(
            say("Completeness error: the scores miss the change that they add up to by {missed}.", missed=missed)
        )
    if measured.standard_error:
        notes.append(say("Standard error of a score: at most {error}.", error=number(max(measured.standard_error))))
    for one in measured.interactions:
        first, second = (result.text[start:end] for start, end in (one.first, one.second))
        notes.append(
            say(
                "Together, “{first}” and “{second}” add {value} to what each does alone ({low} to {high}).",
                first=visible(first),
                second=visible(second),
                value=number(one.value),
                low=number(one.low),
                high=number(one.high),
            )
        )
    notes += followed(measured)
    if measured.by_head:
        each = [(size, layer, head) for layer, of in measured.by_head.items() for head, size in enumerate(of)]
        size, layer, head = max(each, key=lambda one: abs(one[0]))
        notes.append(
            say(
                "Of the scores, layer {layer}, head {head} has most: {sum} in sum.",
                layer=visible(layer),
                head=head,
                sum=number(size),
            )
        )
    if measured.windows:
        notes.append(
            say(
                "Read in {count} overlapping windows of at most {tokens} tokens, each by itself; where they meet, a "
                "score is their mean.",
                count=len(measured.windows),
                tokens=result.asked.window,
            )
        )
    if measured.shared_words:
        runs = [result.text[result.words[a].start : result.words[b - 1].end] for a, b in measured.shared_words]
        notes.append(
            say("One token covers several words, which share its score by their characters: {runs}.", runs=_value(runs))
            if result.asked.unit == "word"
            else say("One token covers several characters, which share its score: {runs}.", runs=_value(runs))
        )
    notes += _unrolled(measured)
    if measured.fixed:
        where = [result.tokens[i].text for i in measured.fixed if 0 <= i < len(result.tokens)]
        notes.append(say("The target stands on {token}.", token=visible(" ".join(where).strip())))
    if result.asked.segments:
        notes.append(say("Segments in order: {names}.", names=_value(list(result.asked.segments))))
    return tuple(notes)


def _unrolled(measured: Measured) -> list[str]:
    """What a picture of linear attention says of it, and how far it can be trusted."""
    if measured.mechanism is None:
        return []
    off = measured.rebuilt
    of_output = (
        "" if off is None else say("; with the values they give its output within {share} of it", share=_share(off))
    )
    return [
        say(
            "Linear attention ({mechanism}), unrolled: the weights are signed, on the layer’s own scale, and no "
            "shares{of_output}.",
            mechanism=visible(measured.mechanism),
            of_output=of_output,
        )
    ]


def _share(error: float) -> str:
    """A share of error, rounded up.

    >>> _share(1.31e-7), _share(0.0)
    ('2e-7', '1e-7')
    """
    digits = max(error, 1e-7)
    unit_of_digit = 10.0 ** floor(log10(digits))
    return number(ceil(digits / unit_of_digit - 1e-9) * unit_of_digit)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        text = say("yes") if value else say("no")
    elif isinstance(value, float):
        text = number(value)
    elif isinstance(value, Mapping):
        text = ", ".join(f"{visible(str(k))} {_value(v)}" for k, v in value.items())
    elif isinstance(value, list | tuple):
        text = ", ".join(_value(v) for v in value)
    else:
        text = visible(str(value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
