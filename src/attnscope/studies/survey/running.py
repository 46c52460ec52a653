"""A survey in this process: part after part, each written whole, none done twice."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from attnscope.errors import InputError
from attnscope.models.loading.load import Model
from attnscope.models.progress import long_run
from attnscope.results.corpus.survey import SETTINGS, Survey
from attnscope.results.files.folder import Folder
from attnscope.studies.survey.columns import kept_types
from attnscope.studies.survey.explaining import Explainer
from attnscope.studies.survey.heads import FILE, merge_heads
from attnscope.studies.survey.parts import Part, Shard, number_of, parts_of
from attnscope.studies.survey.reading import count_of, rows_of
from attnscope.studies.survey.request import Ask, about_of, differences


@dataclass
class Run:
    """One run towards a survey's folder. texts, parts: how many the data turned out to have."""

    model: Model
    ask: Ask
    folder: Folder
    shard: Shard
    texts: int = 0
    parts: int = 0
    _unfinished: dict[str, list[str]] = field(default_factory=dict)

    def begin(self) -> None:
        """Write survey.json. Raises InputError where the folder has something else, naming what differs."""
        about = about_of(self.model, self.ask)
        there = self.folder.json(SETTINGS)
        if there is None:
            if not self.folder.is_empty():
                raise InputError(f"{self.folder.path} has other files and is no survey's folder: give a new one")
            self.folder.write_json(SETTINGS, about)
        elif causes := "; ".join(differences(there, about)):
            raise InputError(f"{self.folder.path} has another survey ({causes}): give another folder, or ask the same")

    def missing(self, parts: Iterator[Part], found: Any) -> Iterator[Part]:
        """The parts of this shard that are not done yet. `found` is called with the number of texts of one that is.

        Raises InputError where the folder has a part of other texts under the same number.
        """
        done = {number_of(name): name for name in self.folder.names("texts")}
        self._unfinished = self.folder.unfinished()
        for part in parts:
            self.parts, self.texts = part.number + 1, part.rows[-1].number + 1
            if not self.shard.has(part.number):
                continue
            there = done.get(part.number)
            if there is None:
                yield part
            elif there == part.name:
                self._tidy(part.name)
                found(len(part.rows))
            else:
                first, last = part.rows[0].number, part.rows[-1].number
                raise InputError(
                    f"{self.folder.path} was made of other data: its texts {first} to {last} differ; give another "
                    "folder, or the same data"
                )
        if more := [number for number in done if number >= self.parts]:
            raise InputError(
                f"{self.folder.path} was made of more data: it has {max(more) + 1} parts, and the data now "
                f"{self.parts}; give another folder, or the same data"
            )

    def write(self, part: Part, tables: dict[str, Any]) -> None:
        """Write the files of a part; that of its texts is the last, and says that it is done."""
        for of in sorted(tables, key=lambda of: of == "texts"):
            self.folder.write(of, part.name, tables[of])
        self._tidy(part.name)

    def _tidy(self, name: str) -> None:
        """Remove what killed runs have begun of a file that is whole now."""
        self.folder.remove(self._unfinished.pop(name, ()))

    def end(self) -> Survey:
        """Write into survey.json how many texts and parts there are in all."""
        if self.ask.heads:
            merge_heads(self.model, self.folder)
            self._tidy(FILE)
        about = self.folder.json(SETTINGS) | {"texts": self.texts, "parts": self.parts}
        self.folder.write_json(SETTINGS, about)
        self._tidy(SETTINGS)
        return Survey.load(self.folder.path)


def first_part(parts: Iterator[Part], ask: Ask) -> tuple[Iterator[Part], dict[str, Any]]:
    """The same parts, and the arrow types of carried columns, which the first part settles for all.

    Raises InputError where there is no text.
    """
    first = next(parts, None)
    if first is None:
        raise InputError("the data has no texts")
    return chain([first], parts), kept_types(first.rows, ask.columns.keep)


def run_here(model: Model, data: Any, ask: Ask, folder: Folder, shard: Shard) -> Survey:
    """All parts that are missing, one after the other, in this process."""
    parts, kept = first_part(parts_of(rows_of(data, ask.columns), ask.part_texts), ask)
    run = Run(model, ask, folder, shard)
    run.begin()
    explainer = Explainer(model, ask, kept)
    total = count_of(data) if shard.of == 1 else None
    with long_run("texts", total) as pace:
        for part in run.missing(parts, pace.found_done):
            run.write(part, explainer.tables(part))
            pace.advance(len(part.rows))
    return run.end()
