"""Chats as files have them: the JSON of messages, and texts that a chat template has rendered."""

import json
from dataclasses import dataclass
from typing import Any

import regex

from attnscope.errors import InputError
from attnscope.text.inputs import checked, is_chat

EXAMPLE = '[{"role": "user", "content": "…"}]'
# What chat templates write; a text whose last line has one was rendered by a template.
_MARKER = regex.compile(r"<\|[^|\s]+\|>|<｜[^｜\s]+｜>|<(?:start|end)_of_turn>|\[/?INST\]|</?think>")


@dataclass(frozen=True)
class MessagesFile:
    """What a JSON file says of a chat."""

    messages: list[dict[str, Any]]
    tools: list[Any] | None = None
    chat_template_kwargs: dict[str, Any] | None = None


def read_messages(document: str, what: str) -> MessagesFile:
    """The chat in a JSON document: a list of messages, or {"messages": […], "tools": […]}. Raises InputError."""
    try:
        data = json.loads(document)
    except ValueError as error:
        raise InputError(f"{what} is not JSON ({error}): write {EXAMPLE}") from error
    others: dict[str, Any] = {}
    if isinstance(data, dict) and "messages" in data:
        others = {field: data[field] for field in ("tools", "chat_template_kwargs") if data.get(field)}
        data = data["messages"]
    if isinstance(data, dict) and "conversations" in data:
        raise InputError(f'{what} has "conversations": write {{"messages": {EXAMPLE}}}')
    if isinstance(data, list) and data and all(isinstance(one, list) for one in data):
        raise InputError(f"{what} has {len(data)} chats: give the file of one")
    if not is_chat(data):
        raise InputError(f"{what} has no messages: write {EXAMPLE}")
    return MessagesFile([dict(message) for message in checked(data)], **others)


def is_json_of_a_chat(text: str) -> bool:
    """Whether a text is the braces of a chat's JSON."""
    if text.lstrip()[:1] not in ("[", "{") or '"role"' not in text:
        return False
    try:
        read_messages(text, "the text")
    except InputError:
        return False
    return True


def without_last_line_break(text: str) -> str:
    """A file's text without the line break that editors put at its end.

    A text that a chat template has rendered ends with its markers and the line breaks that belong to them: these stay.
    """
    if _MARKER.search(text.rstrip().rpartition("\n")[2]):
        return text
    return text.removesuffix("\n").removesuffix("\r")
