"""One text of a corpus, whatever it was read from, and the columns that it is read by."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from attnscope.errors import InputError
from attnscope.results.plain import is_missing, plain_lists
from attnscope.text.inputs import is_chat


@dataclass(frozen=True)
class Columns:
    """The names of the columns. None: the name in brackets, where the data has such a column.

    text: of the texts (text); messages: of chats (messages); pair: of second texts (text_pair); target: of what is
    explained (target); gold: of the right label (gold); id: of what rows are called (id), else a hash of the text.
    rationale: of the pieces that people find important, [[start, end], …] in characters (rationale).
    keep: further columns, which go into the table of texts as they are.
    """

    text: str | None = None
    messages: str | None = None
    pair: str | None = None
    target: str | None = None
    gold: str | None = None
    id: str | None = None
    rationale: str | None = None
    keep: tuple[str, ...] = ()

    @property
    def named(self) -> list[str]:
        """The columns that the caller named."""
        given = (self.text, self.messages, self.pair, self.target, self.gold, self.id, self.rationale, *self.keep)
        return [name for name in given if name is not None]


@dataclass(frozen=True)
class Row:
    """One text.

    number: its place in the data, from 0. text: the text, or the messages of a chat. kept: the values of further
    columns. error: why it cannot be read, if so.
    """

    number: int
    text: Any
    pair: str | None = None
    target: str | int | None = None
    gold: str | None = None
    id: str = ""
    rationale: tuple[tuple[int, int], ...] | None = None
    kept: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None

    @property
    def shown(self) -> str:
        """The text as a table has it: of a chat, its JSON."""
        return self.text if isinstance(self.text, str) else json.dumps(plain_lists(self.text), ensure_ascii=False)

    @property
    def content(self) -> bytes:
        """Everything that its rows in the tables depend on."""
        given = (self.shown, self.pair, self.target, self.gold, self.id, self.rationale, dict(self.kept), self.error)
        return json.dumps(given, ensure_ascii=True, default=str).encode()


def row_of(given: Any, number: int, columns: Columns) -> Row:
    """The row in a mapping, a text or a chat; what is wrong with it alone is its error.

    Raises InputError where the first row has no such column: then the data has none.
    """
    if isinstance(given, str):
        given = {"text": given}
    elif is_chat(given):
        given = {"messages": given}
    elif isinstance(given, Exception):
        return Row(number, "", id=str(number), error=str(given))
    if not isinstance(given, Mapping):
        return Row(number, "", id=str(number), error=_no_text(None if is_missing(given) else given))
    if lacks := _lacks(given, columns):
        if number == 0:
            raise InputError(lacks)
        return Row(number, "", id=str(number), error=lacks)

    def cell(asked: str | None, default: str) -> Any:
        value = plain_lists(given.get(asked or default))
        if isinstance(value, float) and value.is_integer():
            return int(value)  # pandas writes the 1 of a column with gaps as 1.0
        return None if is_missing(value) else value

    text = None
    if columns.messages is None and (columns.text is not None or "text" in given):
        text = cell(columns.text, "text")
    elif columns.messages is not None or "messages" in given:
        text = cell(columns.messages, "messages")
        text = [_without_nulls(one) for one in text] if isinstance(text, Sequence) and is_chat(text) else text
    else:
        text = plain_lists(next(iter(given.values())))
    pair, target, gold = (
        cell(columns.pair, "text_pair"),
        cell(columns.target, "target"),
        cell(columns.gold, "gold"),
    )
    own = cell(columns.id, "id")
    error = None if isinstance(text, str) or is_chat(text) else _no_text(text)
    rationale, wrong = _rationale(cell(columns.rationale, "rationale"))
    row = Row(
        number,
        text if error is None else "",
        None if pair is None or pair == "" else str(pair),
        None if target == "" else target,
        None if gold is None else str(gold),
        "" if own is None else str(own),
        rationale,
        {name: plain_lists(given[name]) for name in columns.keep},
        error or wrong,
    )
    return row if row.id else _with_id(row)


def _lacks(given: Mapping[str, Any], columns: Columns) -> str | None:
    """Which column there is not, in words."""
    have = ", ".join(map(repr, given))
    for name in columns.named:
        if name not in given:
            return f"there is no column {name!r}; there is {have}"
    if columns.text or columns.messages or "text" in given or "messages" in given or len(given) == 1:
        return None
    return f"there is no column 'text'; there is {have}: name the column of the texts"


def _with_id(row: Row) -> Row:
    """The row called by a hash of its text, the same in every run."""
    return replace(row, id=hashlib.sha256(row.shown.encode("utf-8", "backslashreplace")).hexdigest()[:16])


def _no_text(value: Any) -> str:
    return "there is no text" if value is None else f"the text is of type {type(value).__name__}: expected a str"


def _without_nulls(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message of a table, where every message has every message's fields, without those that it does not have."""
    return {name: value for name, value in message.items() if value is not None}


def _rationale(value: Any) -> tuple[tuple[tuple[int, int], ...] | None, str | None]:
    """The pieces, or why they are none."""
    if value is None or value == "":
        return None, None
    try:
        pieces = json.loads(value) if isinstance(value, str) else value
        return tuple((int(piece[0]), int(piece[1])) for piece in pieces), None
    except (ValueError, TypeError, IndexError):
        return None, f"the rationale {value!r} is not [[start, end], …] in characters"
