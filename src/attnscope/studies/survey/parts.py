"""A corpus cut into parts, each a file of every table: the same data and settings give the same parts.

A part is what runs at once, and what is lost when a run is killed. Its name has its number and a hash of its content,
so that a part that is done is known again, and one of other texts is never taken for it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from attnscope.errors import InputError
from attnscope.studies.survey.rows import Row

# A part ends with so many texts, or where its texts have so many characters.
TEXTS = 256
CHARACTERS = 400_000


@dataclass(frozen=True)
class Part:
    """Some neighbouring rows of a corpus."""

    number: int
    rows: tuple[Row, ...]

    @cached_property
    def name(self) -> str:
        """What its files are called."""
        content = hashlib.sha256()
        for row in self.rows:
            content.update(row.content + b"\n")
        return f"{self.number:06d}-{content.hexdigest()[:16]}.parquet"


def parts_of(rows: Iterable[Row], texts: int = TEXTS) -> Iterator[Part]:
    """The parts of a corpus, of at most so many texts each."""
    number, waiting, characters = 0, list[Row](), 0
    for row in rows:
        waiting.append(row)
        characters += len(row.shown) + len(row.pair or "")
        if len(waiting) == texts or characters >= CHARACTERS:
            yield Part(number, tuple(waiting))
            number, waiting, characters = number + 1, [], 0
    if waiting:
        yield Part(number, tuple(waiting))


def number_of(name: str) -> int:
    """The number of the part that a file belongs to."""
    return int(name.split("-", 1)[0])


@dataclass(frozen=True)
class Shard:
    """One of several equal shares of a corpus's parts: share `which`, from 1, of `of`."""

    which: int = 1
    of: int = 1

    @classmethod
    def read(cls, given: "str | Sequence[int] | Shard | None") -> "Shard":
        """A shard from "3/16" or (3, 16). Raises InputError."""
        if given is None or isinstance(given, Shard):
            return given or cls()
        written = given if isinstance(given, str) else "/".join(map(str, given))
        found = re.fullmatch(r"(\d+)/(\d+)", written)
        which, of = map(int, found.groups()) if found else (0, 0)
        if not 1 <= which <= of:
            raise InputError(f"shard={given!r}: write the number of the shard, from 1, and how many there are: 3/16")
        return cls(which, of)

    def has(self, number: int) -> bool:
        """Whether a part is in it."""
        return number % self.of == self.which - 1
