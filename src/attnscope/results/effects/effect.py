"""A knock-out: a target's value and the likeliest next words, before and after something was taken away.

Plain frozen data, numpy only. An effect is the value before less the value after: positive where what was taken away
spoke for the target (for a loss, where it spoke against it).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, ClassVar, Self

from attnscope.results.base import NEVER, Document
from attnscope.results.files.reading import NUMBER, Kinds, checked, checked_items, checked_tuple, shallow
from attnscope.results.tables import Columns, counts, numbers, texts
from attnscope.text.visible import visible
from attnscope.translation import say


@dataclass(frozen=True, slots=True)
class TakenWord:
    """A word, or a token, of the text: as it stands there, and the indices of its tokens."""

    text: str
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TakenEdge:
    """Attention from a query to a key. None: from every token, or to every token, but the other side's own."""

    query: TakenWord | None
    key: TakenWord | None


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What was taken away.

    heads:       pairs (layer, head). how: what stood in the place of their outputs: "zero", "mean" or "resample".
    edges:       and the layers in which they were cut; renormalise: whether the rest of the weights grew instead.
    layers:      those that were skipped.
    words:       and what stood in their place: a name such as "mask" or "mean".
    stack:       of an encoder–decoder, which attention's heads, edges and layers.
    references:  how many other texts the means and samples came from; 0: from the text itself.
    samples:     how often the outputs were drawn anew.
    """

    heads: tuple[tuple[int, int], ...] = ()
    how: str = "zero"
    edges: tuple[TakenEdge, ...] = ()
    edge_layers: tuple[int, ...] = ()
    renormalise: bool = True
    layers: tuple[int, ...] = ()
    words: tuple[TakenWord, ...] = ()
    replacement: str | None = None
    stack: str = "self"
    references: int = 0
    samples: int = 1

    @classmethod
    def read(cls, data: Any) -> Self:
        """Read it from a saved result. Raises ValueError, saying what is wrong."""
        found = checked(data, _TAKEN, "taken")
        found["heads"] = tuple(checked_tuple(pair, (int,), "a head", 2) for pair in found["heads"])
        for name in ("edge_layers", "layers"):
            found[name] = checked_tuple(found[name], (int,), name)
        found["words"] = tuple(_word(word, f"word {i}") for i, word in enumerate(found["words"]))
        edges = checked_items(found["edges"], _EDGE, "edge")
        found["edges"] = tuple(
            TakenEdge(*(None if edge[side] is None else _word(edge[side], side) for side in ("query", "key")))
            for edge in edges
        )
        return cls(**found)

    def said(self) -> str:
        """What was taken away, in words."""
        parts = [say("head {head} of layer {layer}", head=head, layer=layer) for layer, head in self.heads]
        parts += [say("layer {layer}", layer=layer) for layer in self.layers]
        for edge in self.edges:
            query = say("every token") if edge.query is None else say("“{word}”", word=edge.query.text.strip())
            key = say("every token") if edge.key is None else say("“{word}”", word=edge.key.text.strip())
            parts.append(say("the attention from {query} to {key}", query=query, key=key))
        parts += [say("the word “{word}”", word=word.text.strip()) for word in self.words]
        if len(parts) < 2:
            return parts[0] if parts else say("nothing")
        return say("{first} and {last}", first=say(", ").join(parts[:-1]), last=parts[-1])


@dataclass(frozen=True, slots=True)
class TokenEffect:
    """A token of the target, or of the text whose loss is taken, and its own value before and after."""

    text: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A word that may come next, or a label: its probability and its place (from 1) before and after."""

    text: str
    before: float
    after: float
    place_before: int
    place_after: int


@dataclass(frozen=True)
class Effect(Document):
    """What became of a target when something was taken away.

    target, quantity: what was measured, in words.
    before, after:    its value. standard_error: of the value after, where outputs were drawn anew several times.
    tokens:           the target token by token. ranking: what is likeliest next, before and after.
    notes:            what the reader has to know.

    >>> knocked = ats.knock_out(model, "Tokyo is the capital of", target=" Japan", heads=[(10, 8)])
    >>> round(knocked.before, 1), round(knocked.after, 1), round(knocked.effect, 1)  # likelier without it
    (-3.5, -1.3, -2.2)
    """

    type: ClassVar[str] = "effect"
    tables: ClassVar[tuple[str, ...]] = ("ranking", "tokens")

    text: str
    target: str
    quantity: str
    taken: Taken
    before: float
    after: float
    standard_error: float | None = None
    tokens: tuple[TokenEffect, ...] = ()
    ranking: tuple[Ranked, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def effect(self) -> float:
        """The value before less the value after."""
        return 0.0 if self.before == self.after else self.before - self.after

    def table(self) -> str:
        """Plain text: what was taken away, the values, the likeliest words before and after, the target's tokens."""
        spread = "" if self.standard_error is None else f" ± {self.standard_error:.2g}"
        lines = [
            visible(f"{self.target}, without {self.taken.said()}"),
            f"before {self.before:.4g}  after {self.after:.4g}{spread}  effect {self.effect:+.4g}",
        ]
        if self.ranking:
            width = max(len(visible(repr(one.text))) for one in self.ranking)
            lines.append("")
            lines.append(f"{'next':<{width}}  {'before':>14}  {'after':>14}")
            for one in self.ranking:
                cells = (
                    f"{share:8.2%} ({place})"
                    for share, place in ((one.before, one.place_before), (one.after, one.place_after))
                )
                lines.append(f"{visible(repr(one.text)):<{width}}" + "".join(f"  {cell:>14}" for cell in cells))
        if len(self.tokens) > 1:
            width = max(5, *(len(visible(repr(one.text))) for one in self.tokens))
            lines += ["", f"{'token':<{width}}  {'before':>9}  {'after':>9}  {'effect':>9}"]
            lines += [
                f"{visible(repr(t.text)):<{width}}  {t.before:9.4g}  {t.after:9.4g}  {t.before - t.after:+9.4g}"
                for t in self.tokens
            ]
        return "\n".join([*lines, *(("", *map(visible, self.notes)) if self.notes else ())]) + "\n"

    def __repr__(self) -> str:
        return f"<Effect of {self.taken.said()}: {self.before:.4g} → {self.after:.4g} ({self.target})>"

    def _columns(self, of: str) -> Columns:
        if of == "tokens":
            return {
                "token": texts(one.text for one in self.tokens),
                "before": numbers(one.before for one in self.tokens),
                "after": numbers(one.after for one in self.tokens),
                "effect": numbers(one.before - one.after for one in self.tokens),
            }
        return {
            "next": texts(one.text for one in self.ranking),
            "before": numbers(one.before for one in self.ranking),
            "after": numbers(one.after for one in self.ranking),
            "place_before": counts(one.place_before for one in self.ranking),
            "place_after": counts(one.place_after for one in self.ranking),
        }

    def _body(self) -> dict[str, Any]:
        taken = shallow(self.taken)
        taken["words"] = [shallow(word) for word in self.taken.words]
        taken["edges"] = [
            {side: None if word is None else shallow(word) for side, word in shallow(edge).items()}
            for edge in self.taken.edges
        ]
        return {
            "text": self.text,
            "target": self.target,
            "quantity": self.quantity,
            "taken": taken,
            "before": _written(self.before),
            "after": _written(self.after),
            "standard_error": self.standard_error,
            "tokens": [{n: v if n == "text" else _written(v) for n, v in shallow(t).items()} for t in self.tokens],
            "ranking": [shallow(one) for one in self.ranking],
            "notes": list(self.notes),
            "provenance": dict(self.provenance),
        }

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        top = checked(data, _EFFECT, "the effect")
        top |= {name: _number(top[name], name) for name in ("before", "after")}
        top["taken"] = Taken.read(top["taken"])
        tokens = checked_items(top["tokens"], _TOKEN, "token")
        top["tokens"] = tuple(
            TokenEffect(t["text"], _number(t["before"], "before"), _number(t["after"], "after")) for t in tokens
        )
        top["ranking"] = tuple(Ranked(**one) for one in checked_items(top["ranking"], _RANKED, "word"))
        top["notes"] = checked_tuple(top["notes"], (str,), "notes")
        return cls(**top)


def _written(value: float) -> float | str:
    """Minus infinity, what the model rules out, is a word in files."""
    return NEVER if value == -math.inf else value


def _number(value: Any, name: str) -> float:
    if value == NEVER:
        return -math.inf
    if isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, expected a number or {NEVER!r}")
    return float(value)


def _word(data: Any, what: str) -> TakenWord:
    word = checked(data, {"text": (str,), "tokens": (list, tuple)}, what)
    return TakenWord(word["text"], checked_tuple(word["tokens"], (int,), "tokens"))


_LIST: Kinds = (list, tuple)
_VALUE: Kinds = (*NUMBER, str)
_TAKEN: dict[str, Kinds] = {
    "heads": _LIST, "how": (str,), "edges": _LIST, "edge_layers": _LIST, "renormalise": (bool,), "layers": _LIST,
    "words": _LIST, "replacement": (str, NoneType), "stack": (str,), "references": (int,), "samples": (int,),
}  # fmt: skip
_EDGE: dict[str, Kinds] = {"query": (dict, NoneType), "key": (dict, NoneType)}
_EFFECT: dict[str, Kinds] = {
    "text": (str,), "target": (str,), "quantity": (str,), "taken": (dict,), "before": _VALUE, "after": _VALUE,
    "standard_error": (*NUMBER, NoneType), "tokens": _LIST, "ranking": _LIST, "notes": _LIST, "provenance": (dict,),
}  # fmt: skip
_TOKEN: dict[str, Kinds] = {"text": (str,), "before": _VALUE, "after": _VALUE}
_RANKED: dict[str, Kinds] = {
    "text": (str,), "before": NUMBER, "after": NUMBER, "place_before": (int,), "place_after": (int,)
}  # fmt: skip
