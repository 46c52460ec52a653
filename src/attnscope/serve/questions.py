"""What a page may ask, checked: nothing of it is trusted."""

from dataclasses import dataclass, replace
from typing import Any

from attnscope.errors import InputError
from attnscope.methods.table import METHODS
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model
from attnscope.studies.citation.prompt import CHAT, PLAIN, filled, named
from attnscope.text import segments as pieces
from attnscope.text.inputs import Messages
from attnscope.translation import LANGUAGES

# Characters of a text, and of a target.
MAX_CHARACTERS = 200_000
MAX_TARGET = 2_000
MAX_GENERATED = 200
MAX_MESSAGES = 200
# Words, heads or edges that are taken away at once.
MAX_TAKEN = 10_000
VERSUS = ("text", "model", "method")


@dataclass(frozen=True)
class Question:
    """One question of a page.

    ask:      a name of ANSWERS.
    client:   tells pages apart; a page's newer question takes the place of its older one of the same slot.
    text:     the text; messages: a chat instead.
    target:   what is explained; None: what the model itself says next.
    passages: what the text is a question about.
    removed:  characters (start, end) of the text that are taken away. heads: (layer, head) that are. edges: each the
              characters (start, end, start, end) of two words, of which the first no longer attends to the second.
    place:    the character of a word that is looked at.
    results:  the documents of two Attributions that are compared. versus: what the second has of its own: "text",
              "model" or "method"; other: that text, model or method.
    layer, head: places among the model's layers and heads with attention, as the manifest lists them.
    count:    how many tokens to generate. suffix: the format of a file. of: what is saved.
    go:       do it, however long it takes. lang: what the answer is said in.
    """

    ask: str
    client: str = ""
    slot: str = ""
    model: str = ""
    text: str = ""
    messages: tuple[dict[str, Any], ...] = ()
    method: str = "gradient"
    target: str | None = None
    passages: tuple[str, ...] = ()
    removed: tuple[tuple[int, ...], ...] = ()
    heads: tuple[tuple[int, ...], ...] = ()
    edges: tuple[tuple[int, ...], ...] = ()
    place: int = 0
    results: tuple[str, ...] = ()
    versus: str = "text"
    other: str = ""
    layer: int = 0
    head: int = 0
    count: int = 20
    suffix: str = ".html"
    of: str = "importance"
    go: bool = False
    lang: str = "en"

    @property
    def given(self) -> str | Messages:
        """The text or the chat."""
        return list(self.messages) if self.messages else self.text

    @property
    def key(self) -> tuple[str, str, str]:
        """Tells texts of a model apart, and a chat from a text that looks like one."""
        return self.model, *(("chat", repr(self.messages)) if self.messages else ("text", self.text))

    def ready(self, model: Model) -> "Question":
        """With its passages and the question about them put into one text or chat, as `cite` does.

        Raises InputError for a passage that cannot be used.
        """
        if not self.passages:
            return self
        chat = bool(getattr(model.tokenizer, "chat_template", None))
        text = filled(CHAT if chat else PLAIN, self.text, named(self.passages))
        return replace(self, text="" if chat else text, messages=({"role": "user", "content": text},) if chat else ())

    def segments(self, encoded: Encoded) -> list[tuple[str, int, int]]:
        """The passages, turns or paragraphs: each one's name and characters (start, end) in what the model reads."""
        if self.passages:
            found, end = [], 0
            for number, passage in enumerate(self.passages, 1):
                start = encoded.text.find(passage.strip(), end)
                if start >= 0:
                    end = start + len(passage.strip())
                    found.append((f"passage {number}", start, end))
            return found
        if self.messages:
            turns = dict(encoded.turns) or pieces.turns(encoded.text, encoded.tokens)
            return [(name, *span) for name, span in turns.items()]
        spans = pieces.paragraphs(encoded.text)
        return [(f"paragraph {i}", *span) for i, span in enumerate(spans, 1)] if len(spans) > 1 else []

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
    "versus": 40,
    "other": MAX_CHARACTERS,
}
_NUMBERS = {"layer": 10_000, "head": 10_000, "count": MAX_GENERATED, "place": MAX_CHARACTERS * 2}


def language_of(data: Any) -> str:
    """What the answer to this is said in, even if it is no question."""
    wanted = data.get("lang") if isinstance(data, dict) else None
    return wanted if isinstance(wanted, str) and wanted in LANGUAGES else "en"


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
    for name, of in (("removed", 2), ("heads", 2), ("edges", 4)):
        read[name] = _numbers(name, of, read.get(name, ()))
    for name in ("passages", "results"):
        read[name] = _texts(name, read.get(name, ()))
    if read.get("versus", "text") not in VERSUS:
        raise InputError(f"a comparison is with another {', '.join(VERSUS)}")
    if language_of(read) != read.get("lang", "en"):
        raise InputError(f"lang is none of {', '.join(LANGUAGES)}")
    read["messages"] = _messages(read.get("messages", ()))
    if read.get("method", "gradient") not in METHODS:
        raise InputError(f"there is no method {read['method']!r}: choose from {', '.join(METHODS)}")
    return Question(**read)


_MEANS = {
    "removed": "pairs [start, end] of characters",
    "heads": "pairs [layer, head]",
    "edges": "fours [start, end, start, end] of characters",
}


def _numbers(name: str, of: int, given: Any) -> tuple[tuple[int, ...], ...]:
    good = isinstance(given, list | tuple) and len(given) <= MAX_TAKEN
    if not good or not all(
        isinstance(some, list | tuple) and len(some) == of and all(type(place) is int for place in some)
        for some in given
    ):
        what = _MEANS[name]
        raise InputError(f"{name} is not a list of up to {MAX_TAKEN:,} {what}")
    return tuple(tuple(some) for some in given)


def _texts(name: str, given: Any) -> tuple[str, ...]:
    good = isinstance(given, list | tuple) and len(given) <= MAX_MESSAGES and all(isinstance(one, str) for one in given)
    if not good:
        raise InputError(f"{name} are not a list of up to {MAX_MESSAGES} texts")
    if name == "passages" and sum(map(len, given)) > MAX_CHARACTERS:
        raise InputError(f"the passages have more than {MAX_CHARACTERS:,} characters")
    return tuple(given)


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
