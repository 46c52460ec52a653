"""What a caller hands over: a text, a pair of texts, or a chat as transformers takes it, alone or in a list.

    "The castle"                                     a text
    "The castle", text_pair="The keep"               two texts that the model reads together
    [{"role": "user", "content": "Hi"}, …]           a chat: a list of messages
    ["The castle", [{"role": …}, …]]                 several of either

An input is one of these in a single form, INPUT, whatever it was given as: what reads inputs asks `Reading.inputs`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from attnscope.errors import InputError, TextError

Message = Mapping[str, Any]
Messages = Sequence[Message]
Tools = Sequence[Any]


@dataclass(frozen=True)
class Chat:
    """A conversation, as a chat template takes it.

    messages: {"role": …, "content": …, …}, the content a text or parts of texts.
    tools:    JSON schemas of functions that the model may call.
    template: further variables of the template, such as {"enable_thinking": False}.
    text:     the user's text where the chat is nothing but that: its characters are kept as they are.
    """

    messages: tuple[Message, ...]
    tools: tuple[Any, ...] = ()
    template: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None

    @property
    def replies(self) -> bool:
        """Whether the chat ends with a reply that is whole, so that the reply is what is explained."""
        return self.messages[-1]["role"] == "assistant" and not self.template.get("continue_final_message")


# Between the texts of a pair, and between two messages of a chat: a blank line, as between paragraphs.
BETWEEN = "\n\n"


@dataclass(frozen=True)
class Pair:
    """Two texts that the model reads together, such as a question and a passage."""

    text: str
    text_pair: str

    @property
    def joined(self) -> str:
        """The text that is drawn: both, with a blank line between them."""
        return self.text + BETWEEN + self.text_pair

    @property
    def second(self) -> int:
        """Where the second text begins in it."""
        return len(self.text) + len(BETWEEN)

    @property
    def parts(self) -> dict[str, tuple[int, int]]:
        """Where each text stands in it, by name."""
        return {"text": (0, len(self.text)), "text_pair": (self.second, len(self.joined))}


Input = str | Chat | Pair
# One input, or several: what `explain` and its kin take.
Given = str | Messages | Sequence[str | Messages]


@dataclass(frozen=True)
class Reading:
    """How inputs are read.

    chat:     a text is a user's message in the model's chat template.
    truncate: a text longer than the model's positions is cut instead of refused.
    tools, chat_template_kwargs: what the chat template gets besides the messages.
    text_pair: the second text of a pair.
    max_tokens: a text that is cut is cut to so many tokens, where the model has more positions.
    """

    chat: bool = False
    truncate: bool = False
    tools: Tools | None = None
    chat_template_kwargs: Mapping[str, Any] | None = None
    text_pair: Any = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.tools is not None and (isinstance(self.tools, str | Mapping) or not isinstance(self.tools, Sequence)):
            raise InputError("tools are a list of JSON schemas or functions: write tools=[…]")
        given = self.chat_template_kwargs
        if given is not None and not isinstance(given, Mapping):
            raise InputError(
                f"chat_template_kwargs={given!r}: give the template's variables by name, such as "
                '{"enable_thinking": False}'
            )
        if own := [name for name in given or () if name in _NOT_A_VARIABLE]:
            raise InputError(f"chat_template_kwargs has {own[0]!r}, which is not for the template: leave it out")

    @property
    def _for_chats(self) -> str | None:
        """The name of a parameter that was given and that only a chat takes."""
        given = {"tools": self.tools, "chat_template_kwargs": self.chat_template_kwargs}
        return next((name for name, value in given.items() if value), None)

    def one(self, given: Any) -> Input:
        """A text, a pair or a chat. Raises TextError or InputError for anything else."""
        if isinstance(given, Chat | Pair):
            return given
        if self.text_pair is not None:
            return self._pair(given)
        if isinstance(given, str):
            if not self.chat:
                if name := self._for_chats:
                    raise InputError(
                        f"{name} is for chats, and a text was given: give messages, or chat=True to make the text a "
                        "user's message"
                    )
                return given
            return self._chat([{"role": "user", "content": given}], given)
        if is_chat(given):
            return self._chat(given)
        if isinstance(given, Mapping):
            raise InputError("one message was given: a chat is a list of messages, so write [{…}]")
        if isinstance(given, Sequence) and any(isinstance(part, Mapping) for part in given):
            raise InputError("a list of messages has something else in it: every message is a dict with a role")
        raise TextError(f"the text is of type {type(given).__name__}: give a str, or a chat as a list of messages")

    def _pair(self, text: Any) -> Pair:
        second = self.text_pair
        if not isinstance(text, str) or self.chat:
            raise InputError("text_pair is the second text beside a plain one, and a chat was given: leave one out")
        if not isinstance(second, str):
            raise TextError(f"text_pair is of type {type(second).__name__} and one text was given: give one str")
        return Pair(text, second)

    def _chat(self, messages: Messages, text: str | None = None) -> Chat:
        return Chat(checked(messages), tuple(self.tools or ()), dict(self.chat_template_kwargs or {}), text)


def paired(texts: Sequence[Any], seconds: Any) -> list[Any]:
    """The texts, each with its second text: one for all, or a list of one for each, None where a text has none.

    Raises InputError for a list of another length, and what `Reading.one` raises for what is no pair.

    >>> paired(["a", "b"], ["c", None])
    [Pair(text='a', text_pair='c'), 'b']
    """
    if seconds is None or isinstance(seconds, str):
        seconds = [seconds] * len(texts)
    seconds = list(seconds)
    if len(seconds) != len(texts):
        raise InputError(f"text_pair has {len(seconds)} texts and there are {len(texts)} first ones: give one for each")
    return [
        text if second is None else Reading(text_pair=second).one(text)
        for text, second in zip(texts, seconds, strict=True)
    ]


def is_chat(given: object) -> bool:
    """Whether this is one chat: a list of messages."""
    return (
        isinstance(given, Sequence)
        and not isinstance(given, str | bytes)
        and len(given) > 0
        and all(isinstance(message, Mapping) for message in given)
    )


def is_one(given: object) -> bool:
    """Whether this is one input and not a list of them."""
    return isinstance(given, str | Chat | Pair | Mapping) or is_chat(given)


def checked(messages: Messages) -> tuple[Message, ...]:
    """The messages, each with a role and a content. Raises InputError, naming the first that has none."""
    for number, message in enumerate(messages, 1):
        what = f"message {number} of the chat"
        role = message.get("role")
        if not isinstance(role, str) or not role:
            hint = ""
            if "from" in message and "value" in message:
                hint = ' ("from" and "value" are called "role" and "content" here)'
            raise InputError(f'{what} has no role: write {{"role": "user", "content": "…"}}{hint}')
        content = message.get("content")
        if content is None and not any(message.get(name) for name in ("tool_calls", "function_call", *THINKING)):
            raise InputError(f'{what} ({role}) has no content: write {{"role": {role!r}, "content": "…"}}')
        if content is not None and not isinstance(content, str):
            _check_parts(content, f"{what} ({role})")
    return tuple(dict(message) for message in messages)


def _check_parts(content: Any, what: str) -> None:
    parts = content if isinstance(content, Sequence) else [content]
    for part in parts:
        kind = part.get("type", "text") if isinstance(part, Mapping) else type(part).__name__
        if not isinstance(part, Mapping) or kind not in ("text", "input_text", "output_text"):
            spoken = "pictures and sound are not read here: " if isinstance(part, Mapping) else ""
            raise InputError(
                f'{what} has a part of the type {kind!r}: {spoken}give a text, or parts {{"type": "text", "text": "…"}}'
            )
        if not isinstance(part.get("text"), str):
            raise InputError(f'{what} has a part without its text: write {{"type": "text", "text": "…"}}')


# The names under which a message may have the model's reasoning.
THINKING = ("reasoning_content", "reasoning", "thinking")
# Parameters of transformers' `apply_chat_template` that are not variables of a template.
_NOT_A_VARIABLE = (
    "conversation", "messages", "tools", "tokenize", "padding", "truncation", "max_length", "return_tensors",
    "return_dict", "return_assistant_tokens_mask", "tokenizer_kwargs",
)  # fmt: skip
