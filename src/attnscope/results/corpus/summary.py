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
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.results.base import Document
from attnscope.results.corpus.survey import Survey
from attnscope.results.files.folder import arrow
from attnscope.results.statistics import interval, spearman
from attnscope.results.tables import Columns, counts, numbers, texts
from attnscope.text.visible import visible

# Words of a list, texts of a word, all texts and their characters that a page holds.
WORDS, EXAMPLES, TEXTS, CHARACTERS = 60, 5, 1_500, 6_000_000
# Positions in a text, from its first word to its last, in tenths.
TENTHS = 10
ALL, WRONG = "all texts", "where it is wrong"


@dataclass(frozen=True)
class WordRow:
    """One word of a list: of a method, among the texts of a group (ALL, those of a predicted label, WRONG).

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
    groups:    name -> how many texts. words: the lists. position: of each method the mean |score| by tenth of the text.
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
    position: Mapping[str, tuple[float | None, ...]]
    agreement: tuple[tuple[str, str, float, int], ...]
    rationale: Mapping[str, tuple[float, float, int]]
    examples: Mapping[int, ExampleText] = field(default_factory=dict)
    least: int = 5

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of the survey."""
        return tuple(name for name, _ in self.settings["methods"])

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
            "position": {name: list(values) for name, values in self.position.items()},
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
            {name: tuple(values) for name, values in data["position"].items()},
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
    about = _Texts()
    for part in survey.tables("texts", ["number", "prediction", "gold", "error"]):
        about.add(part)
    gathered = _Gathered()
    for part in survey.tables("words", ["number", "word", "start", "score", "method", "rationale"]):
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
        {m: gathered.by_position(m) for m in methods},
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


class _Texts:
    """What is known of every text: few numbers each."""

    def __init__(self) -> None:
        self.label: dict[int, str] = {}
        self.wrong: set[int] = set()
        self.counts = {"texts": 0, "failed": 0, "known": 0, "wrong": 0}
        self.all: set[int] = set()

    def add(self, part: Any) -> None:
        columns = (part[name].to_pylist() for name in ("number", "prediction", "gold", "error"))
        for number, prediction, gold, error in zip(*columns, strict=True):
            self.counts["texts"] += 1
            self.counts["failed"] += error is not None
            self.all.add(number)
            if prediction is None:
                continue
            self.label[number] = prediction
            if gold is not None:
                self.counts["known"] += 1
                if gold != prediction:
                    self.counts["wrong"] += 1
                    self.wrong.add(number)

    def groups(self) -> dict[str, set[int]]:
        """The groups of texts: all, each predicted label, and those that are wrong."""
        groups = {ALL: self.all}
        for number, label in self.label.items():
            groups.setdefault(f"predicted {label.strip()}", set()).add(number)
        return {**groups, WRONG: self.wrong} if self.counts["known"] else groups


class _Gathered:
    """The words of all texts: of each method, word and text the mean score, and what is measured text by text."""

    def __init__(self) -> None:
        self.tables: list[Any] = []
        self.count = 0
        self.ranks: dict[tuple[str, str], list[float]] = {}
        self.rationale: dict[str, list[tuple[float, float]]] = {}
        self._position: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}

    def add(self, part: Any) -> None:
        pa, compute = arrow(), arrow("pyarrow.compute")
        self.count += len(part)
        lower = compute.utf8_lower(compute.utf8_normalize(part["word"], form="NFC"))
        # A word has a letter or a digit; the rest is punctuation.
        spoken = compute.match_substring_regex(lower, r"[\p{L}\p{N}]")
        words = pa.table({"method": part["method"], "number": part["number"], "word": lower, "score": part["score"]})
        grouped = words.filter(spoken).group_by(["method", "word", "number"], use_threads=False)
        self.tables.append(grouped.aggregate([("score", "mean"), ("score", "count")]))
        of_text = part["number"].to_numpy()
        methods = np.array(part["method"].to_pylist(), dtype=object)
        scores = part["score"].to_numpy()
        rationale = part["rationale"].to_numpy(zero_copy_only=False)
        starts = part["start"].to_numpy()
        edges = np.flatnonzero((of_text[1:] != of_text[:-1]) | (methods[1:] != methods[:-1])) + 1
        by_text: dict[int, dict[str, tuple[NDArray[Any], NDArray[np.float64]]]] = {}
        for span in np.split(np.arange(len(of_text)), edges) if len(of_text) else ():
            method, own = str(methods[span[0]]), scores[span]
            by_text.setdefault(int(of_text[span[0]]), {})[method] = (starts[span], own)
            sums, n = self._position.setdefault(method, (np.zeros(TENTHS), np.zeros(TENTHS)))
            # A word stands where its middle does, so that short texts reach their end as often as their beginning.
            place = (2 * np.arange(len(span)) + 1) * TENTHS // (2 * len(span))
            np.add.at(sums, place, np.abs(own))
            np.add.at(n, place, 1)
            if rationale[span[0]] is not None and (total := np.abs(own).sum()) > 0:
                inside = rationale[span].astype(bool)
                self.rationale.setdefault(method, []).append(
                    (float(np.abs(own)[inside].sum() / total), float(inside.mean()))
                )
        for found in by_text.values():
            for one, other in combinations(found, 2):
                (places, a), (others, b) = found[one], found[other]
                if len(a) == len(b) > 1 and (places == others).all():
                    rank = spearman(np.abs(a), np.abs(b))
                    if not np.isnan(rank):
                        self.ranks.setdefault((one, other), []).append(rank)

    def by_position(self, method: str) -> tuple[float | None, ...]:
        """The mean |score| of the words in each tenth of their text."""
        if method not in self._position:
            return ()
        sums, n = self._position[method]
        return tuple(float(s / c) if c else None for s, c in zip(sums, n, strict=True))

    def by_word(self) -> Any:
        """method, word -> its texts, its scores in them, how often it is there: an iterator of tuples."""
        if not self.tables:
            return
        grouped = arrow().concat_tables(self.tables).group_by(["method", "word"])
        table = grouped.aggregate([("number", "list"), ("score_mean", "list"), ("score_count", "list")])
        for batch in table.to_batches():
            names = ("method", "word", "number_list", "score_mean_list", "score_count_list")
            for method, word, members, scores, often in zip(*(batch[name] for name in names), strict=True):
                found = [column.values.to_numpy() for column in (members, scores, often)]
                # Arrow's threads leave the texts in any order, and a bootstrap draws others in another one.
                order = np.argsort(found[0])
                yield (method.as_py(), word.as_py(), *(values[order] for values in found))


def _word_rows(gathered: _Gathered, about: _Texts, least: int) -> Any:
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


def _chosen(rows: Sequence[WordRow], about: _Texts) -> set[int]:
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
