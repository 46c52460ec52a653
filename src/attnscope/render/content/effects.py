"""What every picture of an effect says in words: the title, the facts, the words that are marked in the text."""

from collections.abc import Mapping
from typing import Any

from attnscope.render.content.caption import number
from attnscope.results.effects.effect import Effect
from attnscope.text.visible import model_name
from attnscope.translation import say, told

# How a word of the text is marked: what was taken away, and both ends of an edge.
GONE, QUERY, KEY = "gone", "query", "key"


def title(result: Effect) -> str:
    """What was taken away."""
    return say("Without {taken}", taken=result.taken.said())


def facts(result: Effect) -> list[tuple[str, str]]:
    """What was measured, as pairs of name and value."""
    pairs = [(say("model"), made_with(result.provenance)), (say("target"), told(result.target))]
    if result.taken.stack != "self":
        pairs.append((say("attention"), result.taken.stack))
    return pairs


def made_with(provenance: Mapping[str, Any]) -> str:
    """The model's name."""
    return model_name(str(provenance.get("model", "—")))


def values(result: Effect) -> tuple[str, str, str]:
    """The value before and after, and the effect, with its standard error."""
    spread = "" if result.standard_error is None else f" ± {result.standard_error:.2g}"
    sign = "+" if result.effect > 0 else ""
    return number(result.before), f"{number(result.after)}{spread}", f"{sign}{number(result.effect)}"


def reading(quantity: str) -> str:
    """How an effect is read."""
    if quantity == "loss":
        return say(
            "The effect is the loss before less the loss after: below 0 where what was taken away helped the model to "
            "predict the text."
        )
    return say(
        "The effect is the value before less the value after: above 0 where what was taken away spoke for the target."
    )


def provenance(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """With what a result was made."""
    shown = {name: value for name, value in given.items() if value is not None and name != "model"}
    return [(name, str(value)) for name, value in shown.items()]
