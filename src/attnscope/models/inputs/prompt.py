"""What is tokenized, and what of it is the user's text: all of a plain text, the messages of a chat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from transformers import PreTrainedTokenizerBase

from attnscope.errors import ModelError
from attnscope.models.inputs.chat import Path, Place, rendering, with_leaf
from attnscope.text.inputs import BETWEEN, Chat, Pair
from attnscope.text.segments import Span
from attnscope.text.words import TokenSpan


@dataclass(frozen=True, slots=True)
class Piece:
    """`source[start:end]` stands in the text from its character `at` on. place: what it is, of a chat."""

    start: int
    end: int
    at: int
    place: Place | None = None

    @property
    def span(self) -> Span:
        """Its characters in the text."""
        return self.at, self.at + self.end - self.start


@dataclass(frozen=True)
class Prompt:
    """What is tokenized (`source`), the text that is drawn, and the pieces of the source that the text is made of.

    chat, pair: as it was given; None for a plain text.
    """

    source: str
    text: str
    pieces: tuple[Piece, ...]
    chat: Chat | None = None
    pair: Pair | None = None

    @classmethod
    def of_text(cls, text: str) -> "Prompt":
        """A plain text: all of it is read and drawn."""
        return cls(text, text, (Piece(0, len(text), 0),))

    @classmethod
    def of_pair(cls, pair: Pair) -> "Prompt":
        """Two texts: both are read and drawn."""
        return replace(cls.of_text(pair.joined), pair=pair)

    @property
    def turns(self) -> dict[str, Span]:
        """Where each turn of a chat stands in the text: {"1 user": (0, 12), …}."""
        found: dict[str, Span] = {}
        for piece in self.pieces:
            if piece.place is not None and piece.start < piece.end:
                start, end = piece.span
                found[piece.place.name] = found.get(piece.place.name, (start, end))[0], end
        return found

    @property
    def template(self) -> tuple[str, ...]:
        """What the template writes before, between and after the pieces."""
        edges = [0, *(edge for piece in self.pieces for edge in (piece.start, piece.end)), len(self.source)]
        return tuple(self.source[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))

    @property
    def reply(self) -> tuple[Piece, Piece] | None:
        """The first and last piece of the reply that the chat ends with; None where it ends with something else."""
        if self.chat is None or not self.chat.replies:
            return None
        last = [p for p in self.pieces if p.place is not None and p.place.message == len(self.chat.messages) - 1]
        return (last[0], last[-1]) if last else None

    def place(self, start: int, end: int) -> Span | None:
        """Where `source[start:end]` stands in the text; None for what is none of it."""
        if self.chat is None:
            return start, end
        inside = [
            piece
            for piece in self.pieces
            if (start < piece.end and piece.start < end if start < end else piece.start < start < piece.end)
        ]
        if not inside:
            return None
        first, last = inside[0], inside[-1]
        return first.at + max(0, start - first.start), last.at + min(end, last.end) - last.start

    def until(self, end: int) -> "Prompt":
        """The same up to the character `end` of the source."""
        pieces = [replace(piece, end=min(piece.end, end)) for piece in self.pieces if piece.start < end]
        text = self.text[: pieces[-1].span[1]] if pieces else ""
        return replace(self, source=self.source[:end], text=text, pieces=tuple(pieces))


def chat_prompt(tokenizer: PreTrainedTokenizerBase, chat: Chat) -> Prompt:
    """A chat as the model reads it. Raises what `rendering` raises."""
    rendered = rendering(tokenizer, chat)
    if chat.text is not None:
        return _of_one_text(rendered.prompt, rendered.places, rendered.chat)
    pieces: list[Piece] = []
    text = ""
    for place in rendered.places:
        if pieces:
            # White space between two pieces is part of the text, so that a token of both is whole.
            gap = rendered.prompt[pieces[-1].end : place.start]
            text += BETWEEN if gap.strip() else gap
        pieces.append(Piece(place.start, place.end, len(text), place))
        text += rendered.prompt[place.start : place.end]
    return Prompt(rendered.prompt, text, tuple(pieces), rendered.chat)


def _of_one_text(prompt: str, places: Sequence[Place], chat: Chat) -> Prompt:
    """A text as a user's message keeps its own characters; a template may strip it, nothing else."""
    text = chat.text or ""
    if len(places) == 1:
        (place,) = places
        message = prompt[place.start : place.end]
        if message.strip() == text.strip() and message in text:
            piece = Piece(place.start, place.end, text.index(message), place)
            return Prompt(prompt, text, (piece,), chat)
    raise ModelError("the model's chat template changes the message or repeats it: leave out --chat (chat=False)")


Cut = Callable[[str, Sequence[TokenSpan], int], int]


def shortened(chat: Chat, prompt: Prompt, tokens: Sequence[TokenSpan], excess: int, cut: Cut) -> Chat | None:
    """The chat with its longest content shorter by about `excess` tokens; None where that leaves nothing of it.

    cut: where to cut a text, given its tokens and how many of them are to be left.
    """
    contents = [(piece, piece.place) for piece in prompt.pieces if piece.place is not None and _is_content(piece.place)]
    longest: tuple[Piece, Path, list[TokenSpan]] | None = None
    for piece, place in contents:
        start, end = piece.span
        inside = [
            TokenSpan(t.text, max(t.start - start, 0), min(t.end, end) - start, t.special)
            for t in tokens
            if t.start < end and start < t.end
        ]
        if longest is None or len(inside) > len(longest[2]):
            longest = piece, place.path, inside
    if longest is None:
        return None
    piece, path, inside = longest
    start, end = piece.span
    read = prompt.text[start:end]
    kept = read[: cut(read, inside, len(inside) - excess)]
    written = _at(chat, path)
    if not kept or read not in written:
        return None
    shorter = written[: written.index(read)] + kept
    return replace(with_leaf(chat, path, shorter), text=None if chat.text is None else shorter)


def edited(prompt: Prompt, start: int, end: int, new: str) -> Chat | None:
    """The chat with `text[start:end]` replaced; None where that is not in one message as it was written."""
    if prompt.chat is None:
        return None
    for piece in prompt.pieces:
        first, last = piece.span
        read = prompt.text[first:last]
        if first <= start and end <= last and piece.place is not None and _is_content(piece.place):
            written = _at(prompt.chat, piece.place.path)
            if read not in written:
                return None
            changed = written.replace(read, read[: start - first] + new + read[end - first :], 1)
            text = None if prompt.chat.text is None else changed
            return replace(with_leaf(prompt.chat, piece.place.path, changed), text=text)
    return None


def _is_content(place: Place) -> bool:
    return "content" in place.path


def _at(chat: Chat, path: Path) -> str:
    value: Any = {"messages": chat.messages, "tools": chat.tools}
    for step in path:
        value = value[step]
    return str(value)
