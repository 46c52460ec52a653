"""The turns of a text that a chat template has already rendered, as far as they can be known.

What stands before and after each role's message is read off the tokenizer's own template, by rendering a few messages.
A role that is written out in it ("<|im_start|>user") may be any other ("<|im_start|>tool"). Without a template, or
where nothing of it is in the text, turns are what is between the chat markers.
"""

from collections.abc import Sequence

import regex
from transformers import PreTrainedTokenizerBase

from attnscope.errors import ModelError
from attnscope.models.inputs.chat import forms, render
from attnscope.text.inputs import Chat
from attnscope.text.segments import Span, trimmed
from attnscope.text.words import TokenSpan

# In the private use area.
_MARK = "\ue0a4"


def turns_of_text(tokenizer: PreTrainedTokenizerBase, text: str, tokens: Sequence[TokenSpan]) -> dict[str, Span]:
    """{"1 system": (22, 40), …}; empty where the text has no chat markers, or none of the template's."""
    if not tokenizer.chat_template or not any(token.special and token.start < token.end for token in tokens):
        return {}
    before, after = _edges(tokenizer)
    found = _openings(text, before)
    if not found:
        return {}
    turns: dict[str, Span] = {}
    openings = [(0, 0, "text"), *found] if text[: found[0][0]].strip() else found
    ends = [start for start, _, _ in openings[1:]] + [len(text)]
    for (_, start, role), end in zip(openings, ends, strict=True):
        piece = text[start:end]
        closing = max((edge for edge in after if edge.strip() and piece.endswith(edge)), key=len, default="")
        span = trimmed(text, start, end - len(closing))
        if any(not t.special and t.start < span[1] and span[0] < t.end and t.text.strip() for t in tokens):
            turns[f"{len(turns) + 1} {role}"] = span
    return turns


def _edges(tokenizer: PreTrainedTokenizerBase) -> tuple[dict[str, str], set[str]]:
    """What the template writes before each role's message, by role, and after messages."""
    alone = _around(tokenizer, "user")
    if alone is None:
        return {}, set()
    before = {"user": alone[0]}
    after = {"user": alone[-1]}
    if replied := _around(tokenizer, "user", "assistant"):
        after["assistant"] = replied[-1]
        before["assistant"] = _own(replied[1], after["user"])
    if again := _around(tokenizer, "user", "assistant", "user"):
        before["user"] = _own(again[2], after.get("assistant", ""))
    # A system prompt that is a part of the user's turn has no turn of its own.
    with_system = _around(tokenizer, "system", "user")
    if with_system and before["user"].strip() and before["user"] not in with_system[0]:
        before["system"] = with_system[0]
    following = _around(tokenizer, "user", following=True)
    return before, {*after.values(), *(following or ())[-1:]}


def _own(piece: str, closing: str) -> str:
    """What stands before a message, without what closes the one before it; with it where nothing else is left."""
    own = piece.removeprefix(closing)
    return own if own.strip() else piece


def _around(tokenizer: PreTrainedTokenizerBase, *roles: str, following: bool = False) -> list[str] | None:
    """What the template writes before, between and after messages of these roles; None where it does not take them."""
    marks = [f"{_MARK}{i}{_MARK}" for i in range(len(roles))]
    messages = [{"role": role, "content": mark} for role, mark in zip(roles, marks, strict=True)]
    for form in forms(messages):
        try:
            rendered = render(tokenizer, Chat(tuple(form), template={"add_generation_prompt": following}))
        except ModelError:
            continue
        pieces = regex.split(f"{_MARK}[0-9]+{_MARK}", rendered)
        if len(pieces) == len(roles) + 1 and regex.findall(f"{_MARK}[0-9]+{_MARK}", rendered) == marks:
            return pieces
    return None


def _openings(text: str, before: dict[str, str]) -> list[tuple[int, int, str]]:
    """Where turns open: (start of the opening, its end, role)."""
    as_written = [(role, regex.escape(edge)) for role, edge in before.items() if edge.strip()]
    any_role = [
        ("", regex.escape(edge).replace(role, r"([\p{L}_-]+)", 1)) for role, edge in before.items() if role in edge
    ]
    found: dict[int, tuple[int, str]] = {}
    for role, pattern in (*as_written, *any_role):
        for match in regex.finditer(pattern, text):
            name = role or match.group(1)
            if not any(start <= match.start() < end for start, (end, _) in found.items()):
                found[match.start()] = match.end(), name
    return [(start, end, role) for start, (end, role) in sorted(found.items())]
