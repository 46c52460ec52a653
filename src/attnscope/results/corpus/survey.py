"""The explanations of a whole corpus: a folder of Parquet tables, read part by part.

    survey = attnscope.load_result("out/")
    survey.texts()                  an arrow table, a row a text
    survey.words().to_pandas()      a row a word; also survey.to_pandas("words")
    survey.tables("words")          the same, a part at a time

docs/survey.md has the columns. Reading needs pyarrow, and no torch.
"""

import importlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from attnscope.errors import DamagedFileError, InputError
from attnscope.results.corpus.head_profiles import HeadProfiles
from attnscope.results.files.folder import Folder, arrow
from attnscope.results.files.references import References

# The file that says what a folder's tables are.
SETTINGS = "survey.json"
TABLES = ("words", "texts", "heads")


@dataclass(frozen=True)
class Survey:
    """A folder that `attnscope.survey` wrote, perhaps not all of it yet.

    path:     the folder, or the address of it.
    about:    survey.json: what was asked (`settings`), how (`provenance`), `texts` and `parts` in all once they are
              known.

    >>> rows = [{"text": "A warm film. It is", "gold": " good"}, {"text": "A dull film. It is", "gold": " bad"}]
    >>> done = ats.survey(model, rows, method="gradient", labels=[" good", " bad"], to="reviews")
    >>> done.complete, done.failed, done.words(["word", "score"]).num_rows
    (True, 0, 12)
    """

    path: str
    about: Mapping[str, Any]

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Open a survey's folder. Raises FileNotFoundError, DamagedFileError."""
        about = Folder(path).json(SETTINGS)
        if about is None:
            raise FileNotFoundError(f"{os.fspath(path)} has no {SETTINGS}: it is no survey's folder")
        if not isinstance(about, dict) or about.get("type") != "survey" or "settings" not in about:
            raise DamagedFileError(f"{os.fspath(path)}/{SETTINGS} does not say what was asked: it is no survey's")
        return cls(os.fspath(path), about)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What was asked."""
        settings: Mapping[str, Any] = self.about["settings"]
        return settings

    @property
    def provenance(self) -> Mapping[str, Any]:
        """The model and the versions behind the numbers."""
        provenance: Mapping[str, Any] = self.about.get("provenance", {})
        return provenance

    @property
    def complete(self) -> bool:
        """Whether all parts are there."""
        return self.about.get("parts") == len(Folder(self.path).names("texts"))

    @property
    def failed(self) -> int:
        """How many texts have an error."""
        return sum(len(table) - table["error"].null_count for table in self.tables("texts", ["error"]))

    def words(self, columns: Sequence[str] | None = None) -> Any:
        """A pyarrow.Table, a row a word: id, number, word, start, end, score, method, target, segment."""
        return self._whole("words", columns)

    def texts(self, columns: Sequence[str] | None = None) -> Any:
        """A pyarrow.Table, a row a text: what it is, what the model predicts, what it cost, why it failed."""
        return self._whole("texts", columns)

    def heads(self) -> Any:
        """A pyarrow.Table, a row per head and statistic; empty where heads were not asked for."""
        return self._whole("heads", None)

    def head_profiles(self) -> HeadProfiles:
        """The heads as `attnscope.head_profiles` gives them, with their texts. Raises InputError where there are none.

        It can be drawn: `attnscope.save(survey.head_profiles(), "heads.html")`.
        """
        table = self.heads()
        if not len(table):
            raise InputError(f"{self.path} has no heads: make the survey with heads=True")
        wanted = arrow().array(sorted({n for row in table["strongest"].to_pylist() for n in row}))
        compute, examples = arrow("pyarrow.compute"), dict[int, str]()
        for part in self.tables("texts", ["number", "text"]):
            chosen = part.filter(compute.is_in(part["number"], wanted))
            examples |= dict(zip(chosen["number"].to_pylist(), chosen["text"].to_pylist(), strict=True))
        return HeadProfiles.of_rows(table.to_pylist(), examples, self.provenance)

    def cite(self) -> References:
        """What to write of it in a paper, as of any result."""
        cited: References = self.summary().cite()
        return cited

    def summary(self, *, least: int = 5) -> Any:
        """What the survey found, as a result that can be drawn: `attnscope.results.corpus.summary.SurveySummary`.

        least: in how many texts a word has to be, from 2 on. `attnscope.save(survey, "page.html")` draws it too.
        """
        return importlib.import_module("attnscope.results.corpus.summary").summary_of(self, least=least)

    def tables(self, of: str, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """The tables of the parts, one after the other, so that memory does not grow with the corpus."""
        if of not in TABLES:
            raise InputError(f"there is no table {of!r} here; choose from {', '.join(TABLES)}")
        folder = Folder(self.path)
        if of == "heads":  # of the whole corpus, in one file
            return (folder.table(of, name, columns) for name in folder.names(of))
        return folder.tables(of, columns)

    def to_pandas(self, of: str = "words") -> Any:
        """One of the tables "words", "texts", "heads" as a pandas.DataFrame."""
        if of not in TABLES:
            raise InputError(f"there is no table {of!r} here; choose from {', '.join(TABLES)}")
        return self._whole(of, None).to_pandas()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The words by the Arrow PyCapsule interface: `polars.DataFrame(survey)`."""
        return self.words().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        done = len(Folder(self.path).names("texts"))
        methods = ", ".join(name for name, _ in self.settings.get("methods", ()))
        return f"Survey({self.path!r}: {methods}; {done} of {self.about.get('parts') or '?'} parts)"

    def _whole(self, of: str, columns: Sequence[str] | None) -> Any:
        found = list(self.tables(of, columns))
        return arrow().concat_tables(found) if found else arrow().table({})
