"""What a page may ask, checked: nothing of it is trusted."""

from dataclasses import dataclass
from typing import Any

from attnscope.errors import InputError
from attnscope.methods.table import METHODS
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model
from attnscope.text.inputs import Messages

# Characters of a text, and of a target.
MAX_CHARACTERS = 200_000
MAX_TARGET = 2_000
MAX_GENERATED = 200
MAX_MESSAGES = 200


@dataclass(frozen=True)
class Question:
    """One question of a page.

    ask:      a name of ANSWERS.
    client:   tells pages apart; a page's newer question takes the place of its older one of the same slot.
    text:     the text; messages: a chat instead.
    target:   what is explained; None: what the model itself says next.
    removed:  characters (start, end) of the text that are taken away.
    layer, head: places among the model's layers and heads with attention, as the manifest lists them.
    count:    how many tokens to generate. suffix: the format of a file. of: what is saved.
    go:       do it, however long it takes.
    """

    ask: str
    client: str = ""
    slot: str = ""
    model: str = ""
    text: str = ""
    messages: tuple[dict[str, Any], ...] = ()
    method: str = "gradient"
    target: str | None = None
    removed: tuple[tuple[int, int], ...] = ()
    layer: int = 0
    head: int = 0
    count: int = 20
    suffix: str = ".html"
    of: str = "importance"
    go: bool = False

    @property
    def given(self) -> str | Messages:
        """The text or the chat."""
        return list(self.messages) if self.messages else self.text

    @property
    def key(self) -> tuple[str, str, str]:
        """Tells texts of a model apart, and a chat from a text that looks like one."""
        return self.model, *(("chat", repr(self.messages)) if self.messages else ("text", self.text))

    def encoded(self, model: Model, max_tokens: int) -> Encoded:
        """The text as the model reads it. Raises InputError for one that is too long to be played with."""
        (encoded,) = encoded_texts(model, self.given)
        if (count := len(encoded.tokens)) > max_tokens:
            raise InputError(
                f"the text has {count:,} tokens, and up to {max_tokens:,} can be played with here: give a shorter one, "
                "use the command line, or start with a larger --max-tokens"
            )
        return encoded


_STRINGS = {
    "ask": 40,
    "client": 80,
    "slot": 40,
    "model": 500,
    "text": MAX_CHARACTERS,
    "method": 80,
    "suffix": 16,
    "of": 40,
}
_NUMBERS = {"layer": 10_000, "head": 10_000, "count": MAX_GENERATED}


def question(data: Any) -> Question:
    """The question in a JSON object. Raises InputError, saying what is wrong, for anything else."""
    if not isinstance(data, dict):
        raise InputError("a question is a JSON object")
    if unknown := [name for name in data if name not in Question.__dataclass_fields__]:
        raise InputError(f"a question has no field {str(unknown[0])[:40]!r}")
    read = dict(data)
    for name, most in _STRINGS.items():
        if name in read and not (isinstance(read[name], str) and len(read[name]) <= most):
            raise InputError(f"{name} is not a text of up to {most:,} characters")
    for name, most in _NUMBERS.items():
        if name in read and not (type(read[name]) is int and 0 <= read[name] <= most):
            raise InputError(f"{name} is not a whole number from 0 to {most:,}")
    target = read.get("target")
    if target is not None and not (isinstance(target, str) and 0 < len(target) <= MAX_TARGET):
        raise InputError(f"the target is not a text of up to {MAX_TARGET:,} characters")
    if not isinstance(read.get("go", False), bool):
        raise InputError("go is neither true nor false")
    read["removed"] = _spans(read.get("removed", ()))
    read["messages"] = _messages(read.get("messages", ()))
    if read.get("method", "gradient") not in METHODS:
        raise InputError(f"there is no method {read['method']!r}: choose from {', '.join(METHODS)}")
    return Question(**read)


def _spans(given: Any) -> tuple[tuple[int, int], ...]:
    good = isinstance(given, list | tuple) and len(given) <= MAX_CHARACTERS // 2
    if not good or not all(
        isinstance(span, list | tuple) and len(span) == 2 and all(type(place) is int for place in span)
        for span in given
    ):
        raise InputError("removed is not a list of pairs [start, end] of characters")
    return tuple((span[0], span[1]) for span in given)


def _messages(given: Any) -> tuple[dict[str, Any], ...]:
    good = isinstance(given, list | tuple) and len(given) <= MAX_MESSAGES
    if not good or not all(
        isinstance(each, dict)
        and set(each) == {"role", "content"}
        and all(isinstance(value, str) for value in each.values())
        for each in given
    ):
        raise InputError('messages are not a list of up to 200 {"role": …, "content": …}')
    if sum(len(each["content"]) for each in given) > MAX_CHARACTERS:
        raise InputError(f"the messages have more than {MAX_CHARACTERS:,} characters")
    return tuple(given)
