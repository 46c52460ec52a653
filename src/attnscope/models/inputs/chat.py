"""A chat rendered by the model's own template, and where every message stands in what the model reads.

No template is parsed. Each message's text is put through the template once more as a placeholder, with all else as it
is: what the two renderings share before and after is not the message's. So a template may strip a message, write it as
JSON, drop the reasoning of earlier turns, merge the system prompt into the first user's turn or move it.

What a template does with a message's content (a text, or parts of texts) is found out by trying as well.
"""

import inspect
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from transformers import PreTrainedTokenizerBase
from transformers.utils.chat_template_utils import get_json_schema

from attnscope.errors import InputError, ModelError, TextError
from attnscope.text.inputs import THINKING, Chat

_log = logging.getLogger(__name__)

# Of the private use area: no message begins or ends with its characters, and they have no case.
PLACEHOLDER = "\ue0a1\ue0a2\ue0a3"
# Reasoning of earlier turns is left out by many templates, and meant to be.
_THINKING = " thinking"
# How many braces may stand open around a tool's name.
_DEEPEST = 8
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of a chat in its rendering, `prompt[start:end]`: a message's content, its reasoning, a call, a tool.

    name:    "2 assistant", "2 assistant thinking", "2 assistant calls get_weather", "tool get_weather".
    message: the message's index; None for a tool. path: where it is in the chat.
    """

    name: str
    message: int | None
    path: Path
    start: int
    end: int


@dataclass(frozen=True)
class Rendering:
    """What the model reads, and the places of the chat in it, in order and disjoint.

    chat: in the form that its template takes.
    """

    prompt: str
    places: tuple[Place, ...]
    chat: Chat


@dataclass(frozen=True)
class _Leaf:
    """A piece of the chat as it was given, and what takes its place to find it in the prompt."""

    name: str
    message: int | None
    path: Path
    placeholder: Any
    spellings: tuple[str, ...]


def rendering(tokenizer: PreTrainedTokenizerBase, chat: Chat) -> Rendering:
    """The chat as the model reads it. Raises ModelError where its template refuses it or cannot be followed."""
    if not tokenizer.chat_template and not chat.template.get("chat_template"):
        without = "leave out --chat (chat=False)" if chat.text is not None else "write the conversation as a text"
        raise ModelError(f"the model has no chat template: {without}, or give a chat model")
    tools = [_schema(tool) for tool in chat.tools]
    failed: InputError | None = None
    lossy: tuple[Rendering, list[str]] | None = None
    for messages in forms(chat.messages):
        try:
            found, lost = _found(tokenizer, Chat(tuple(messages), tuple(tools), chat.template, chat.text))
        except ModelError as error:
            failed = failed or error
            continue
        if not lost:
            return found
        if found.places:
            lossy = lossy or (found, lost)
        else:
            failed = failed or TextError(
                "the chat template leaves nothing of the messages, so there is nothing but special tokens: give "
                "messages with words"
            )
    if lossy is None:
        assert failed is not None
        raise failed
    found, lost = lossy
    _log.warning("the model's chat template leaves out %s, so the model does not read it", ", ".join(lost))
    return found


def forms(messages: Sequence[Mapping[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The messages as given; then with every content as one text, or as parts, as other templates want it."""
    yield [dict(message) for message in messages]
    in_parts = any(isinstance(message.get("content"), list | tuple) for message in messages)
    yield [
        {**message, "content": _as_text(message.get("content")) if in_parts else _as_parts(message.get("content"))}
        for message in messages
    ]


def _as_text(content: Any) -> Any:
    return "\n".join(part["text"] for part in content) if isinstance(content, list | tuple) else content


def _as_parts(content: Any) -> Any:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _schema(tool: Any) -> Any:
    """A tool's JSON schema; a function's is made from its signature and docstring. Raises ModelError."""
    if isinstance(tool, Mapping):
        return dict(tool)
    if not inspect.isfunction(tool) and not inspect.ismethod(tool):
        raise ModelError(f"the tool {tool!r} is neither a JSON schema nor a function: give one of these")
    try:
        return get_json_schema(tool)
    except Exception as error:
        raise ModelError(
            f"the function {tool.__name__} cannot be described as a tool ({_one_line(error)}): give its JSON schema"
        ) from error


def _found(tokenizer: PreTrainedTokenizerBase, chat: Chat) -> tuple[Rendering, list[str]]:
    """The rendering in this form, and the messages whose content is missing from it. Raises ModelError."""
    prompt = render(tokenizer, chat)
    if _writes_python(chat, prompt):
        raise ModelError("the model's chat template takes no parts of texts: give every content as one text")
    lost = []
    places = []
    for leaf in _leaves(chat):
        span = _span(tokenizer, chat, leaf, prompt)
        if span is not None:
            places.append(Place(leaf.name, leaf.message, leaf.path, *span))
        elif not leaf.name.endswith(_THINKING):
            lost.append(leaf.name)
    places.sort(key=lambda place: (place.start, place.end))
    for place, following in pairwise(places):
        if following.start < place.end:
            raise ModelError(
                f"the model's chat template mixes {place.name} with {following.name}, so they cannot be told apart: "
                "render the chat yourself and give it as a text"
            )
    return Rendering(prompt, tuple(places), chat), lost


def _leaves(chat: Chat) -> Iterator[_Leaf]:
    """Everything in the chat that a user wrote: contents, reasoning, calls of tools, descriptions of tools."""
    for index, message in enumerate(chat.messages):
        name = f"{index + 1} {message['role']}"
        for field in THINKING:
            if isinstance(message.get(field), str) and message[field]:
                yield _leaf(name + _THINKING, index, ("messages", index, field), message[field])
                break
        content = message.get("content")
        if isinstance(content, str) and content:
            yield _leaf(name, index, ("messages", index, "content"), content)
        elif isinstance(content, list | tuple):
            for i, part in enumerate(content):
                if part["text"]:
                    yield _leaf(name, index, ("messages", index, "content", i, "text"), part["text"])
        called: list[str] = []
        for i, call in enumerate(message.get("tool_calls") or ()):
            inner: Path = ("function",) if isinstance(call.get("function"), Mapping) else ()
            function = call["function"] if inner else call
            arguments = function.get("arguments")
            other = {**function, "name": PLACEHOLDER}
            if arguments is not None:
                other["arguments"] = PLACEHOLDER if isinstance(arguments, str) else {PLACEHOLDER: PLACEHOLDER}
            path: Path = ("messages", index, "tool_calls", i, *inner)
            called.append(f"{name} calls {function.get('name')}")
            times = called.count(called[-1])
            numbered = called[-1] if times == 1 else f"{called[-1]} ({times})"
            yield _Leaf(numbered, index, path, other, tuple(_json(function)))
    for i, tool in enumerate(chat.tools):
        inner = ("function",) if isinstance(tool.get("function"), Mapping) else ()
        function = tool["function"] if inner else tool
        yield _Leaf(f"tool {function.get('name')}", None, ("tools", i, *inner), _OTHER_TOOL, tuple(_json(tool)))


_OTHER_TOOL: Mapping[str, Any] = {
    "name": PLACEHOLDER,
    "description": PLACEHOLDER,
    "parameters": {"type": "object", "properties": {PLACEHOLDER: {"type": "string", "description": PLACEHOLDER}}},
}


def _leaf(name: str, message: int, path: Path, text: str) -> _Leaf:
    return _Leaf(name, message, path, PLACEHOLDER, tuple(dict.fromkeys((text, text.strip()))))


def _json(value: Any) -> Iterator[str]:
    """How templates write a value as JSON."""
    for indent in (None, 4):
        try:
            yield json.dumps(value, ensure_ascii=False, indent=indent)
        except (TypeError, ValueError):
            return


def _span(tokenizer: PreTrainedTokenizerBase, chat: Chat, leaf: _Leaf, prompt: str) -> tuple[int, int] | None:
    """Where a leaf stands in the prompt; None where the template leaves it out."""
    is_text = isinstance(leaf.placeholder, str)
    try:
        other = render(tokenizer, with_leaf(chat, leaf.path, leaf.placeholder))
    except ModelError:
        # The template looks into what it is given, and a placeholder is not that.
        return _only_occurrence(prompt, leaf.spellings)
    if PLACEHOLDER not in other:
        return None
    if is_text and other.count(PLACEHOLDER) > 1:
        raise ModelError(
            f"the model's chat template changes {leaf.name} or repeats it, so its place cannot be told: render the "
            "chat yourself and give it as a text"
        )
    start, after = _shared(prompt, other)
    end = len(prompt) - after
    if not is_text:
        start, end = _as_json(prompt, start, end)
    elif start != other.index(PLACEHOLDER) or not other.endswith(PLACEHOLDER, 0, len(other) - after):
        # More than this place has changed with the message. All of that is its own, unless it is there as it is.
        start, end = _only_occurrence(prompt, leaf.spellings, start, end) or (start, end)
    return (start, end) if start < end else None


def _only_occurrence(
    prompt: str, spellings: Sequence[str], start: int = 0, end: int | None = None
) -> tuple[int, int] | None:
    for spelling in spellings:
        if spelling and prompt.count(spelling, start, end) == 1:
            first = prompt.index(spelling, start, end)
            return first, first + len(spelling)
    return None


def _as_json(prompt: str, start: int, end: int) -> tuple[int, int]:
    """The JSON object that this is a part of; where it is in none, the same."""
    opening = prompt.rfind("{", 0, start + 1)
    for _ in range(_DEEPEST):
        if opening < 0:
            break
        try:
            value, stop = json.JSONDecoder().raw_decode(prompt, opening)
        except ValueError:
            stop, value = 0, None
        if stop >= end and isinstance(value, Mapping) and "name" in json.dumps(value):
            outer = prompt.rfind("{", 0, opening)
            if outer >= 0 and prompt[outer:opening].rstrip(" \n").endswith('"function":'):
                opening = outer
                continue
            return opening, stop
        opening = prompt.rfind("{", 0, opening)
    return start, end


def with_leaf(chat: Chat, path: Path, value: Any) -> Chat:
    """The chat with another value at the path of one of its places."""
    changed = _with({"messages": list(chat.messages), "tools": list(chat.tools)}, path, value)
    return Chat(tuple(changed["messages"]), tuple(changed["tools"]), chat.template, chat.text)


def _with(value: Any, path: Path, new: Any) -> Any:
    """The value with `new` at the path; nothing of it is changed in place."""
    if not path:
        return new
    step, *rest = path
    if isinstance(value, Mapping):
        return {**value, step: _with(value[step], tuple(rest), new)}
    return [_with(part, tuple(rest), new) if i == step else part for i, part in enumerate(value)]


def _shared(one: str, other: str) -> tuple[int, int]:
    """How many characters two texts share before they differ, and behind that at their ends."""
    before = _shared_before(one, other, min(len(one), len(other)))
    rest = min(len(one), len(other)) - before
    return before, _shared_before(one[::-1], other[::-1], rest)


def _shared_before(one: str, other: str, most: int) -> int:
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _writes_python(chat: Chat, prompt: str) -> bool:
    """Whether the template took parts for a text and wrote them out as a list of Python's."""
    parts = [m["content"] for m in chat.messages if isinstance(m.get("content"), list | tuple) and m["content"]]
    return any(repr(part) in prompt for content in parts for part in content)


def render(tokenizer: PreTrainedTokenizerBase, chat: Chat) -> str:
    """What the template writes for a chat in this very form. Raises ModelError."""
    # After a reply that is whole, nothing more is to be written.
    following = not chat.replies and not chat.template.get("continue_final_message")
    variables = {"add_generation_prompt": following, **chat.template}
    try:
        rendered = tokenizer.apply_chat_template(
            [dict(message) for message in chat.messages], tools=list(chat.tools) or None, tokenize=False, **variables
        )
    except Exception as error:  # A template is a program of the model's author: anything may come out of it.
        why = f"the model's chat template failed ({type(error).__name__}: {_one_line(error)})"
        if chat.text is not None:
            raise ModelError(f"{why}: leave out --chat (chat=False)") from error
        roles = ", ".join(dict.fromkeys(message["role"] for message in chat.messages))
        raise ModelError(f"{why}: give it messages that it takes; these have the roles {roles}") from error
    return str(rendered)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
