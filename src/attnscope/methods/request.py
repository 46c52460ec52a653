"""The parameters that all methods share: a target or a query, the text's units, how the text is read."""

import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Final, Literal, TypedDict

from attnscope.errors import InputError, RangeError
from attnscope.models.targets.target import Target
from attnscope.results.attribution import Word
from attnscope.results.plain import plain_lists, plain_numbers
from attnscope.text.inputs import Reading, Tools


class _Unasked(Enum):
    token = "unasked"

    def __repr__(self) -> str:
        return "the method's own"


UNASKED: Final = _Unasked.token
# One query: a token's index, a word, or None for the mean over all tokens that are not special.
Query = int | str | None
Queries = Query | Sequence[int | str | None]


class FollowingOptions(TypedDict, total=False):
    """How a text is read when its attention is captured.

    text_pair: a second text that the model reads together with the first, such as the passage to a question; of several
              texts, one for each.
    target:   a text that follows, or that the decoder reads.
    generate: let the model write that text itself, at most this many tokens.
    stack:    which attention of an encoder–decoder: "encoder" (the default), "decoder" or "cross".
    chat:     the text is a user's message in the model's chat template.
    truncate: cut a text that is longer than the model's positions instead of refusing it; of a chat, its longest
              message.
    tools:    JSON schemas, or functions, of the tools in a chat.
    chat_template_kwargs: other variables of the chat template, such as {"enable_thinking": False}.
    """

    text_pair: str | Sequence[str] | None
    target: str | int | None
    generate: int | None
    stack: Literal["encoder", "decoder", "cross"] | None
    chat: bool
    truncate: bool
    tools: Tools | None
    chat_template_kwargs: Mapping[str, Any] | None


class AttentionOptions(FollowingOptions, total=False):
    """FollowingOptions, and what is scored.

    unit:     "word"; for texts without words, such as proteins, "token" or "character" (a token's score is spread over
              its characters); "sentence" or "segment".
    segments: {name: (start, end)}, "paragraphs", or "turns" (of a chat, or of a text with chat markers).
    within:   score, and remove, only the units inside one part of the text: the name of a segment, a pair (start, end)
              of characters, or a Word of another result (such as one of its sentences). A sentence or segment that
              reaches out of the part counts with its words inside it.
    window:   read a text of any length in overlapping windows of at most so many tokens; scores are averaged where
              windows meet (`attnscope.methods.windows`).
    """

    unit: Literal["word", "token", "character", "sentence", "segment"]
    segments: Mapping[str, Sequence[int]] | Literal["paragraphs", "turns"] | None
    within: str | Sequence[int] | Word | None
    window: int | None


class RowOptions(AttentionOptions, total=False):
    """AttentionOptions, and which of a layer's two kinds of row.

    linear: True for the row of its linear attention, unrolled; None: that only where it has no attention weights.
    """

    linear: bool | None


class Options(AttentionOptions, total=False):
    """The parameters that all methods take beside their own.

    target, against, generate, per_token, position, quantity, similar_to: what is explained, see
              `attnscope.models.targets.resolve`. An attention method takes the position that predicts the target as its
              query.
    query:    for attention methods: a token's index (special tokens count; negative from the end), a word of the text
              (its first occurrence), None for the mean over all tokens that are not special, or a list of these, which
              gives a list of results. With a query, target and generate mean text that follows.
    """

    against: str | int | None
    per_token: bool
    position: int | str | None
    quantity: Literal["log_probability", "loss", "logit", "probability"] | None
    similar_to: str | Sequence[str | None] | None
    query: Queries


@dataclass(frozen=True, kw_only=True)
class Request:
    """The Options of one call, defaults filled in."""

    target: str | int | None = None
    against: str | int | None = None
    generate: int | None = None
    per_token: bool = False
    position: int | str | None = None
    quantity: str | None = None
    similar_to: str | None = None
    query: Queries | _Unasked = UNASKED
    stack: str | None = None
    unit: str | None = None
    segments: Mapping[str, Sequence[int]] | str | None = None
    within: str | Sequence[int] | Word | None = None
    chat: bool = False
    truncate: bool = False
    window: int | None = None
    tools: Tools | None = None
    chat_template_kwargs: Mapping[str, Any] | None = None
    text_pair: str | Sequence[str] | None = None

    @property
    def reading(self) -> Reading:
        """How the texts and chats are read. Raises InputError."""
        return Reading(self.chat, self.truncate, self.tools, self.chat_template_kwargs, self.text_pair)

    @property
    def asks_target(self) -> bool:
        """Whether the call asks to explain a target, rather than to read attention from a query."""
        return self.given("target", "generate", "position", "quantity", "against", "per_token", "similar_to")

    @property
    def asks_query(self) -> bool:
        """Whether a query was given, or one stack of an encoder–decoder."""
        return self.query is not UNASKED or self.stack is not None

    def given(self, *names: str) -> bool:
        """Whether the caller gave one of these."""
        return any(getattr(self, name) is not None and getattr(self, name) is not False for name in names)

    def explained(self) -> Target:
        """The target, checked. Raises InputError where its parts do not go together."""
        asked = self.target, self.against, self.generate, self.per_token, self.position, self.quantity
        return Target(*asked, self.similar_to, self.truncate)

    def following(self) -> tuple[str | None, int | None]:
        """The text that follows, or how many tokens to generate. Raises InputError for a target that is no text."""
        if self.target is not None and not isinstance(self.target, str):
            raise InputError(f"the target {self.target!r} is not a text: beside a query it is a text that follows")
        return self.target, self.generate

    def queries(self, default: Query) -> tuple[list[Query], bool]:
        """The queries, and whether the caller gave a list of them."""
        if self.query is UNASKED:
            return [default], False
        if isinstance(self.query, Sequence) and not isinstance(self.query, str):
            return list(self.query), True
        return [self.query], False


# The shared parameters, in the order in which they are listed.
SHARED = tuple(field.name for field in fields(Request))
# Parameters renamed since version 0.1: old name -> new name.
RENAMED = {"kind": "stack", "way": "replacement"}


def requested(
    parameters: Mapping[str, Any], own: Mapping[str, Any], shared: Sequence[str], method: str
) -> tuple[dict[str, Any], Request]:
    """Split `parameters` into the method's own options, defaults filled in, and the Request.

    own: the method's options and their defaults. shared: the names of the Options that it takes. Raises InputError for
    a name that is neither, and for something else where a number is meant. Numbers of numpy and torch are taken as the
    numbers they are.
    """
    given = renamed(parameters, {*own, *shared})
    if unknown := [name for name in given if name not in own and name not in shared]:
        known = ", ".join([*own, *shared])
        raise InputError(f"the method {method!r} has no parameter {unknown[0]!r}; it takes {known}")
    options = {**own, **{name: plain_numbers(value) for name, value in given.items() if name in own}}
    for name, default in own.items():
        _check_number(name, options[name], default)
    return options, Request(**{name: plain_lists(value) for name, value in given.items() if name not in own})


def _check_number(name: str, value: object, default: object) -> None:
    """Raises InputError where the default is a number and the value is none. A layer or a head may be a word."""
    if isinstance(default, bool) or not isinstance(default, int | float) or name in ("layer", "head"):
        return
    kind = int if isinstance(default, int) else int | float
    if isinstance(value, bool) or not isinstance(value, kind):
        spoken = "a whole number" if kind is int else "a number"
        raise InputError(f"{name}={value!r}: expected {spoken}, such as {default}")


def renamed(parameters: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """The parameters under their current names; an old name gives a DeprecationWarning."""
    given = dict(parameters)
    for old, new in RENAMED.items():
        if old in given and old not in known and new in known:
            warnings.warn(f"{old}= is called {new}= now", DeprecationWarning, stacklevel=2)
            given[new] = given.pop(old)
    return given


def in_range(what: str, index: object, count: int, alternatives: str = "") -> int:
    """The index, counted from 0. Raises RangeError, which names the range, for one outside it."""
    if not isinstance(index, int) or isinstance(index, bool):
        raise RangeError(
            f"the {what} {index!r} is neither a number nor {alternatives}"
            if alternatives
            else f"the {what} {index!r} is no number"
        )
    if not -count <= index < count:
        raise RangeError(f"the {what} {index} is out of range: the model has the {what}s 0 to {count - 1}")
    return index % count
