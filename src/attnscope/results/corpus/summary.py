"""What a survey found: the words that matter most, by label, with intervals; where the model is wrong; telling texts.

    summary = attnscope.load_result("out/").summary()
    attnscope.save(summary, "survey.html")        # one page, whatever the number of texts

Aggregates of the whole corpus and the texts that show them. A word's score in a text is the mean of its occurrences
there; the mean and its 95 % bootstrap interval are over texts. Words are listed by the end of their interval nearest to
0 (mean less 1.96 standard errors), so that a few texts with large scores come after many with good ones; a word of
fewer than `least` texts is not listed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any, ClassVar, Self

import numpy as np

from attnscope.errors import InputError
from attnscope.results.base import Document
from attnscope.results.corpus.gathered import Gathered, Spread, Texts
from attnscope.results.corpus.survey import Survey
from attnscope.results.files.folder import arrow
from attnscope.results.statistics import interval
from attnscope.results.tables import Columns, counts, numbers, texts
from attnscope.text.visible import visible

# Words of a list, texts of a word, all texts and their characters that a page holds.
WORDS, EXAMPLES, TEXTS, CHARACTERS = 60, 5, 1_500, 6_000_000


@dataclass(frozen=True)
class WordRow:
    """One word of a list: of a method, among a group of texts (all, those of a predicted label, where it is wrong).

    mean, low, high: of its score over texts. texts: in how many it is; count: how often. examples: numbers of texts.
    """

    method: str
    group: str
    word: str
    mean: float
    low: float
    high: float
    texts: int
    count: int
    examples: tuple[int, ...]


@dataclass(frozen=True)
class ExampleText:
    """A text of the page. words: (start, end, score) of each method."""

    text: str
    prediction: str | None
    gold: str | None
    probability: float | None
    words: Mapping[str, tuple[tuple[int, int, float], ...]]


@dataclass(frozen=True, eq=False)
class SurveySummary(Document):
    """See above.

    counts:    texts, failed, words, and, where right labels are known, known and wrong.
    groups:    name -> how many texts. words: the lists.
    spread:    how |score| is spread over the words, by tenth of the text and by part of it, of each method.
    agreement: of each two methods the mean rank correlation over texts, and of how many.
    rationale: of each method what share of |score| lies on the words that people find important, and these words' share
               of all, mean over texts, and of how many.
    """

    type: ClassVar[str] = "survey_summary"
    tables: ClassVar[tuple[str, ...]] = ("words",)

    settings: Mapping[str, Any]
    provenance: Mapping[str, Any]
    counts: Mapping[str, int]
    groups: Mapping[str, int]
    words: tuple[WordRow, ...]
    spread: tuple[Spread, ...]
    agreement: tuple[tuple[str, str, float, int], ...]
    rationale: Mapping[str, tuple[float, float, int]]
    examples: Mapping[int, ExampleText] = field(default_factory=dict)
    least: int = 5

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of the survey."""
        return tuple(name for name, _ in self.settings["methods"])

    def spread_by(self, method: str, by: str) -> tuple[Spread, ...]:
        """The rows of `spread` of a method by "tenth" or "segment"."""
        return tuple(one for one in self.spread if (one.method, one.by) == (method, by))

    def table(self) -> str:
        """Plain text: of each method and group the first words."""
        known = f", {self.counts['wrong']:,} of {self.counts['known']:,} wrong" if self.counts.get("known") else ""
        lines = [f"{self.counts['texts']:,} texts, {self.counts['failed']:,} failed{known}"]
        for method in self.methods:
            for group, size in self.groups.items():
                rows = [row for row in self.words if (row.method, row.group) == (method, group)][:12]
                lines += ["", f"{visible(method)}, {visible(group)} ({size:,} texts)"]
                lines += [
                    f"  {row.mean:>9.3g} [{row.low:.3g}, {row.high:.3g}]  {row.texts:>6,} texts  {visible(row.word)}"
                    for row in rows
                ]
            for by, title in (("tenth", "tenth of the text"), ("segment", "part of the text")):
                spread = self.spread_by(method, by)
                lines += ["", f"{visible(method)}, |score| by {title}: median, quartiles"] if spread else []
                lines += [f"  {_quartiles(one)}  {visible(one.name)}" for one in spread]
        return "\n".join(lines) + "\n"

    def _columns(self, of: str) -> Columns:  # noqa: ARG002 -- there is one table
        rows = self.words
        return {
            **{name: texts(getattr(row, name) for row in rows) for name in ("method", "group", "word")},
            **{name: numbers(getattr(row, name) for row in rows) for name in ("mean", "low", "high")},
            **{name: counts(getattr(row, name) for row in rows) for name in ("texts", "count")},
        }

    def _body(self) -> dict[str, Any]:
        return {
            "settings": dict(self.settings),
            "provenance": dict(self.provenance),
            "counts": dict(self.counts),
            "groups": dict(self.groups),
            "words": [{**asdict(row), "examples": list(row.examples)} for row in self.words],
            "spread": [asdict(one) for one in self.spread],
            "agreement": [list(pair) for pair in self.agreement],
            "rationale": {name: list(values) for name, values in self.rationale.items()},
            "examples": {
                str(number): {**vars(one), "words": {m: [list(w) for w in ws] for m, ws in one.words.items()}}
                for number, one in self.examples.items()
            },
            "least": self.least,
        }

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            dict(data["settings"]),
            dict(data["provenance"]),
            dict(data["counts"]),
            dict(data["groups"]),
            tuple(WordRow(**{**row, "examples": tuple(row["examples"])}) for row in data["words"]),
            tuple(_spread(one) for one in data["spread"]) if "spread" in data else _of_means(data["position"]),
            tuple((one, other, float(rank), int(n)) for one, other, rank, n in data["agreement"]),
            {name: (float(a), float(b), int(n)) for name, (a, b, n) in data["rationale"].items()},
            {
                int(number): ExampleText(
                    **{**one, "words": {m: tuple((s, e, x) for s, e, x in ws) for m, ws in one["words"].items()}}
                )
                for number, one in data["examples"].items()
            },
            int(data["least"]),
        )

    def __repr__(self) -> str:
        return f"<SurveySummary>\n{self.table()}"


def summary_of(survey: Survey, *, least: int = 5) -> SurveySummary:
    """The summary of a survey's tables, read twice, part by part. Raises InputError for fewer than two texts a word."""
    if isinstance(least, bool) or not isinstance(least, int) or least < 2:
        raise InputError(
            f"least={least!r}: a word that is in one text is no finding; expected a whole number from 2 on"
        )
    about = Texts()
    for part in survey.tables("texts", ["number", "prediction", "gold", "error"]):
        about.add(part)
    gathered = Gathered()
    columns = ["number", "word", "start", "score", "method", "rationale"]
    if survey.about.get("schema", 2) > 2:  # words had no segment before
        columns.append("segment")
    for part in survey.tables("words", columns):
        gathered.add(part)
    rows = list(_word_rows(gathered, about, least))
    chosen = _chosen(rows, about)
    methods = tuple(name for name, _ in survey.settings["methods"])
    return SurveySummary(
        survey.settings,
        survey.provenance,
        {**about.counts, "words": gathered.count},
        {name: len(members) for name, members in about.groups().items()},
        tuple(rows),
        tuple(one for method in methods for one in gathered.spread(method)),
        tuple(
            (one, other, float(np.mean(ranks)), len(ranks))
            for one, other in combinations(methods, 2)
            if (ranks := gathered.ranks.get((one, other), []))
        ),
        {
            m: (float(np.mean([a for a, _ in found])), float(np.mean([b for _, b in found])), len(found))
            for m in methods
            if (found := gathered.rationale.get(m, []))
        },
        _examples(survey, chosen),
        least,
    )


def _quartiles(one: Spread) -> str:
    if one.quartiles is None:
        return f"{one.mean:>9.3g} (mean)"
    low, middle, high = one.quartiles
    return f"{middle:>9.3g} [{low:.3g}, {high:.3g}]  {one.words:>8,} words"


def _spread(one: Mapping[str, Any]) -> Spread:
    return Spread(**{**one, "quartiles": one["quartiles"] and tuple(one["quartiles"])})


def _of_means(position: Mapping[str, Any]) -> tuple[Spread, ...]:
    """What documents had before: the mean by tenth."""
    return tuple(
        Spread(method, "tenth", str(number), float(mean))
        for method, means in position.items()
        for number, mean in enumerate(means, 1)
        if mean is not None
    )


def _word_rows(gathered: Gathered, about: Texts, least: int) -> Any:
    """The strongest words of every method and group, those that are surely far from 0 first."""
    groups = about.groups()
    size = max(about.all, default=-1) + 1
    inside = {name: np.isin(np.arange(size), list(members)) for name, members in groups.items()}
    found: dict[tuple[str, str], list[tuple[float, str, Any]]] = {}
    for method, word, members, scores, often in gathered.by_word():
        if len(members) < least:
            continue
        for group, there in inside.items():
            here = there[members]
            if here.sum() >= least:
                of_group = scores[here]
                error = of_group.std(ddof=1) / np.sqrt(len(of_group)) if len(of_group) > 1 else 0.0
                surely = abs(float(of_group.mean())) - 1.96 * float(error)
                entry = (surely, word, (members[here], of_group, int(often[here].sum())))
                found.setdefault((method, group), []).append(entry)
    for (method, group), entries in found.items():
        entries.sort(key=lambda entry: (-entry[0], entry[1]))
        for _, word, (members, scores, count) in entries[:WORDS]:
            low, high = interval(scores)
            strongest = np.argsort(-np.abs(scores), kind="stable")[:EXAMPLES]
            yield WordRow(
                method, group, word, float(scores.mean()), float(low), float(high), len(members), count,
                tuple(int(number) for number in members[strongest]),
            )  # fmt: skip


def _chosen(rows: Sequence[WordRow], about: Texts) -> set[int]:
    """The texts that the page holds: the first of every word, then the second …, and some where the model is wrong."""
    chosen = dict.fromkeys(sorted(about.wrong)[:50])
    for rank in range(EXAMPLES):
        for row in rows:
            if len(chosen) < TEXTS and rank < len(row.examples):
                chosen[row.examples[rank]] = None
    return set(chosen)


def _examples(survey: Survey, chosen: set[int]) -> dict[int, ExampleText]:
    wanted = arrow().array(sorted(chosen))
    compute = arrow("pyarrow.compute")

    def rows(of: str, columns: list[str]) -> Any:
        for part in survey.tables(of, columns):
            yield from part.filter(compute.is_in(part["number"], wanted)).to_pylist()

    words: dict[int, dict[str, list[tuple[int, int, float]]]] = {}
    for row in rows("words", ["number", "start", "end", "score", "method"]):
        words.setdefault(row["number"], {}).setdefault(row["method"], []).append(
            (row["start"], row["end"], row["score"])
        )
    found: dict[int, ExampleText] = {}
    characters = 0
    for row in rows("texts", ["number", "text", "prediction", "gold", "probability"]):
        number = row.pop("number")
        # A word weighs as much in the page as some thirty characters.
        characters += len(row["text"]) + 30 * sum(map(len, words.get(number, {}).values()))
        if characters > CHARACTERS:
            break
        found[number] = ExampleText(words={m: tuple(ws) for m, ws in words.get(number, {}).items()}, **row)
    return found
