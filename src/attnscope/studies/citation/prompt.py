"""A question and its passages as one prompt, and where each passage stands in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attnscope.errors import InputError
from attnscope.text.segments import Span

# What a chat model's user says; a model without a chat template reads PLAIN.
CHAT = "Answer the question from these passages.\n\n{passages}\n\nQuestion: {question}"
PLAIN = "{passages}\n\nQuestion: {question}\nAnswer:"
BETWEEN = "\n\n"
Passage = str | Mapping[str, Any]


@dataclass(frozen=True)
class Named:
    """A passage: its name (its id or number), title and text."""

    name: str
    title: str
    text: str

    @property
    def written(self) -> str:
        """As it stands in the prompt."""
        return f"{self.title}\n{self.text}" if self.title else self.text


def named(passages: Sequence[Passage]) -> list[Named]:
    """The passages with their names. Raises InputError, naming the first that cannot be used."""
    if isinstance(passages, str | Mapping) or not isinstance(passages, Sequence):
        raise InputError("passages are a list of texts: write passages=[…]")
    if not passages:
        raise InputError("passages is empty: give at least one passage, or a chat of which the turns are the sources")
    found: list[Named] = []
    for number, passage in enumerate(passages, 1):
        given = {"text": passage} if isinstance(passage, str) else passage
        if not isinstance(given, Mapping) or not isinstance(given.get("text"), str):
            raise InputError(
                f'passage {number} is no text: give a str, or {{"title": "…", "text": "…", "id": "…"}} with a text'
            )
        if unknown := set(given) - {"title", "text", "id"}:
            raise InputError(
                f"passage {number} has {sorted(map(str, unknown))[0]!r}; a passage has a text, a title and an id"
            )
        text, title = given["text"].strip(), str(given.get("title") or "").strip()
        if not text:
            raise InputError(f"passage {number} is empty: leave it out")
        name = str(number if given.get("id") is None else given["id"])
        if name in (one.name for one in found):
            raise InputError(f"two passages have the id {name!r}: give each its own")
        found.append(Named(name, title, text))
    return found


def filled(template: str, question: str, passages: Sequence[Named]) -> str:
    """The template with question and passages. Raises InputError where one of the two has no place in it, or passages
    have no lines of their own."""
    for place in ("{passages}", "{question}"):
        if not isinstance(template, str) or template.count(place) != 1:
            raise InputError(f"template={template!r}: write {{passages}} and {{question}} once each, where they go")
    before, after = template.split("{passages}")
    if before[-1:] not in ("", "\n") or after[:1] not in ("", "\n"):
        raise InputError(
            f"template={template!r}: give {{passages}} lines of their own, since a space before or behind them goes "
            "with the first or the last passage when that is left out"
        )
    if not isinstance(question, str) or not question.strip():
        raise InputError("the question is empty: give one")
    written = BETWEEN.join(one.written for one in passages)
    return before.replace("{question}", question) + written + after.replace("{question}", question)


def blocks(template: str, question: str, passages: Sequence[Named], text: str) -> list[Span]:
    """Where each passage stands in what the model reads, its title and the blank line behind it included.

    Raises InputError where the passages are not there as they were given.
    """
    whole = filled(template, question, passages)
    # A chat template may strip the message.
    core = whole.strip()
    cursor = text.find(core) + len(template.split("{passages}")[0].replace("{question}", question))
    cursor -= len(whole) - len(whole.lstrip())
    if core not in text:
        raise InputError(
            "the model's chat template changes the prompt, so the passages cannot be found in it: render it yourself, "
            "and give it as a text with segments"
        )
    places = []
    for one in passages:
        places.append((cursor, cursor + len(one.written)))
        cursor = places[-1][1] + len(BETWEEN)
    starts = [start for start, _ in places]
    ends = [*starts[1:], places[-1][1]]
    last = ends[-1]
    while last < len(text) and text[last] == "\n":
        last += 1
    return list(zip(starts, [*ends[:-1], last], strict=True))
