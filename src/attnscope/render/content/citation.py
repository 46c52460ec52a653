"""What every picture of a citation says: its facts, its notes, names of sources."""

import numpy as np

from attnscope.render.content.caption import number
from attnscope.results.citation.citation import CITED_SHARE, LEAST_GAIN, Citation
from attnscope.text.visible import model_name
from attnscope.translation import say

NONE = "none of these"
_MEANING = {
    "deletion": "what a statement's log-probability loses without the source",
    "surrogate": "the slope of the statement's log-odds on whether the source is there",
    "heads": "how much of the heads' attention the source gets where the statement is predicted",
    "gradient": "how strongly the statement's log-probability reacts to the source's tokens, for it or against it",
    "mask_gradient": "what the statement's log-probability loses, to first order, when nobody sees the source's tokens",
    "gim": "the source's share of the statement's log-probability, by a gradient that sees through sharp attention",
}
_LEARNT = "what a statement's log-probability loses without the source, as the heads' attention predicts it"


def facts(result: Citation) -> list[tuple[str, str]]:
    """How the citation was made."""
    pairs = [(say("model"), model_name(str(result.provenance.get("model", "—")))), (say("method"), result.method)]
    pairs += [(name.replace("_", " "), str(value)) for name, value in result.options.items() if value is not None]
    pairs.append((say("log-probability with all sources"), number(result.value)))
    pairs.append((say("with none of them"), number(result.without)))
    pairs.append((say("passes"), f"{result.passes:,}"))
    return pairs


def notes(result: Citation) -> list[str]:
    """How to read it."""
    learnt = result.method == "heads" and result.unit == "nats"
    meaning = _LEARNT if learnt else _MEANING.get(result.method, "how much the source supports the statement")
    said = [say("Scores are in {unit}: {meaning}.", unit=say(result.unit), meaning=say(meaning))]
    said.append(
        say(
            "A statement is cited to the sources whose score is at least {share} of its largest. Where all sources "
            "together make it less than {times} times as likely, it is cited to {none}: the model says it without them "
            "too, or hardly with them.",
            share=f"{CITED_SHARE:.0%}",
            times=f"{np.exp(LEAST_GAIN):.0f}",
            none=say(NONE),
        )
    )
    if result.options.get("search") == "halves":
        said.append(
            say(
                "Sources were left out in groups, of which the one that costs most was opened: a source whose effect "
                "was not measured has an equal share of what its group costs."
            )
        )
    said.append(say("Sources that say the same hide each other: without either of them the other is still there."))
    if result.low is not None:
        said.append(say("Intervals: 95 %, by fits to sets of sources drawn with replacement."))
    if result.narrow is False:
        said.append(say("Some intervals are wider than was asked: the most sets of sources were tried."))
    return said


def name_of(result: Citation, source: int) -> str:
    """A source's name and title."""
    one = result.sources[source]
    return f"{one.name} {one.title}" if one.title else one.name


def totals(result: Citation) -> list[float]:
    """(source,) the scores for the whole answer: the sum over statements."""
    return [float(score) for score in result.scores.sum(0)]
