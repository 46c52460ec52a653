"""The reply that a chat ends with, or a part of it, as a target: what the model is asked how likely it was.

Ids are those that the whole conversation has. A part that begins or ends inside a token takes that token whole.
"""

from dataclasses import replace

from attnscope.errors import InputError
from attnscope.models.inputs.continuation import Continued, continued
from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model
from attnscope.text.segments import Span
from attnscope.text.words import TokenSpan, WordSpan, group

Part = str | tuple[int, int] | None


def replied(model: Model, encoded: Encoded, part: Part = None, against: str | None = None) -> list[Continued]:
    """The chat's reply, or a part of it: a text in it (the first occurrence) or (start, end) in its characters.

    against: another text in the same place; then there are two. Raises InputError for a part that the reply lacks.
    """
    start, end = _span(encoded, part)
    asked = [i for i, token in enumerate(encoded.tokens) if token.start < end and start < token.end]
    if not asked:
        raise InputError("the reply has no tokens there: give a part of it with words")
    first, last = asked[0], asked[-1]
    before = _until(encoded, first)
    tokens = encoded.tokens
    begin, stop = tokens[first].start, max(tokens[i].end for i in asked)
    text = encoded.text[:stop]
    moved = [TokenSpan(t.text, t.start - begin, t.end - begin, t.special) for t in tokens[first : last + 1]]
    words = [
        WordSpan(word.start + begin, word.end + begin, tuple(i + first for i in word.tokens))
        for word in group(text[begin:], moved)
    ]
    both = replace(
        encoded,
        text=text,
        inputs={name: list(values[: last + 1]) for name, values in encoded.inputs.items()},
        tokens=(*before.tokens, *tokens[first : last + 1]),
        words=(*before.words, *words),
        turns=_turns(encoded, stop),
        starts=encoded.starts[: last + 1],
    )
    ids = tuple(encoded.inputs["input_ids"][first : last + 1])
    target = Continued(both, first, ids, text[begin:], before)
    if against is None:
        return [target]
    return [target, continued(model, before, _lead(encoded, first, start) + against)]


def _span(encoded: Encoded, part: Part) -> Span:
    """Where the part stands in the text."""
    assert encoded.chat is not None
    assert encoded.chat.reply is not None
    first, last = encoded.chat.reply
    start, end = first.span[0], last.span[1]
    reply = encoded.text[start:end]
    if part is None:
        return start, end
    if isinstance(part, str):
        place = reply.find(part) if part else -1
        if place < 0:
            raise InputError(
                f"the target {part!r} is not in the reply that the chat ends with ({_shown(reply)}): give a part of "
                "it, leave target out for all of it, or go on with the reply by "
                'chat_template_kwargs={"continue_final_message": True}'
            )
        return start + place, start + place + len(part)
    begin, stop = part if len(part) == 2 else (-1, -1)
    if not 0 <= begin < stop <= len(reply):
        raise InputError(f"target={part!r}: give a start and an end within the reply's {len(reply)} characters")
    return start + begin, start + stop


def _shown(reply: str) -> str:
    return repr(reply if len(reply) <= 60 else reply[:59] + "…")


def _until(encoded: Encoded, count: int) -> Encoded:
    """The first `count` tokens, as a prompt that the rest follows."""
    assert encoded.chat is not None
    kept = encoded.tokens[:count]
    end = max((token.end for token in kept), default=0)
    tokens = tuple(TokenSpan(t.text, min(t.start, end), min(t.end, end), t.special) for t in kept)
    return Encoded(
        encoded.text[:end],
        {name: list(values[:count]) for name, values in encoded.inputs.items()},
        tokens,
        group(encoded.text[:end], tokens),
        _turns(encoded, end),
        encoded.chat.until(encoded.starts[count]),
        encoded.starts[:count],
    )


def _turns(encoded: Encoded, end: int) -> dict[str, Span]:
    return {name: (start, min(stop, end)) for name, (start, stop) in encoded.turns.items() if start < end}


def _lead(encoded: Encoded, first: int, start: int) -> str:
    """The white space that the target's first token begins with, the template's too: what stands against it has it."""
    assert encoded.chat is not None
    piece = next(piece for piece in encoded.chat.pieces if piece.span[0] <= start < piece.span[1])
    lead = encoded.chat.source[encoded.starts[first] : piece.start + start - piece.at]
    return lead if lead.isspace() else ""
