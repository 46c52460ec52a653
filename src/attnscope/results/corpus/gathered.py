"""What a summary gathers of a survey's tables, part by part: few numbers of each text, and every word of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnscope.results.files.folder import arrow
from attnscope.results.statistics import spearman

ALL, WRONG = "all texts", "where it is wrong"
# Positions in a text, from its first word to its last, in tenths; segments of which the spread is kept.
TENTHS, SEGMENTS = 10, 12
# Turns of a chat by one role are one kind: "3 user" is "user".
_NUMBERED = re.compile(r"^\d+ ")


@dataclass(frozen=True)
class Spread:
    """How |score| is spread over the words of one part of the texts.

    by: "tenth" (name: "1" to "10", from a text's beginning to its end) or "segment" (name: the role of a chat's turns,
    a text of a pair, a paragraph). words, texts: how many there are. An old document has no more than the mean.
    """

    method: str
    by: str
    name: str
    mean: float
    quartiles: tuple[float, float, float] | None = None
    words: int | None = None
    texts: int | None = None


class Texts:
    """What is known of every text: few numbers each."""

    def __init__(self) -> None:
        self.label: dict[int, str] = {}
        self.wrong: set[int] = set()
        self.counts = {"texts": 0, "failed": 0, "known": 0, "wrong": 0}
        self.all: set[int] = set()

    def add(self, part: Any) -> None:
        """Take in a part's table of texts."""
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


class Gathered:
    """The words of all texts: of each method, word and text the mean score, and what is measured text by text."""

    def __init__(self) -> None:
        self.tables: list[Any] = []
        self.count = 0
        self.ranks: dict[tuple[str, str], list[float]] = {}
        self.rationale: dict[str, list[tuple[float, float]]] = {}
        # Of each method, and each tenth (a number) or segment (a name) of a text: the |scores| there, of each text.
        self._places: dict[str, dict[int | str, list[NDArray[np.float32]]]] = {}

    def add(self, part: Any) -> None:
        """Take in a part's table of words."""
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
        segments = part["segment"].to_pylist() if "segment" in part.column_names else [None] * len(part)
        kinds = np.array([None if name is None else _NUMBERED.sub("", name) for name in segments], dtype=object)
        starts = part["start"].to_numpy()
        edges = np.flatnonzero((of_text[1:] != of_text[:-1]) | (methods[1:] != methods[:-1])) + 1
        by_text: dict[int, dict[str, tuple[NDArray[Any], NDArray[np.float64]]]] = {}
        for span in np.split(np.arange(len(of_text)), edges) if len(of_text) else ():
            method, own = str(methods[span[0]]), scores[span]
            by_text.setdefault(int(of_text[span[0]]), {})[method] = (starts[span], own)
            places = self._places.setdefault(method, {})
            # A word stands where its middle does, so that short texts reach their end as often as their beginning.
            tenth = (2 * np.arange(len(span)) + 1) * TENTHS // (2 * len(span))
            for by in (tenth, kinds[span]):
                for place in dict.fromkeys(by.tolist()):
                    if place is not None:
                        places.setdefault(place, []).append(np.abs(own[by == place]).astype(np.float32))
            if rationale[span[0]] is not None and (total := np.abs(own).sum()) > 0:
                inside = rationale[span].astype(bool)
                self.rationale.setdefault(method, []).append(
                    (float(np.abs(own)[inside].sum() / total), float(inside.mean()))
                )
        for found in by_text.values():
            for one, other in combinations(found, 2):
                (starts, a), (others, b) = found[one], found[other]
                if len(a) == len(b) > 1 and (starts == others).all():
                    rank = spearman(np.abs(a), np.abs(b))
                    if not np.isnan(rank):
                        self.ranks.setdefault((one, other), []).append(rank)

    def spread(self, method: str) -> Iterator[Spread]:
        """How |score| is spread over the words of each tenth of their text, then over those of each segment."""
        places = self._places.get(method, {})
        segments = sorted((name for name in places if isinstance(name, str)), key=lambda name: -len(places[name]))
        for place in [*range(TENTHS), *segments[:SEGMENTS]]:
            if place in places:
                scores = np.concatenate(places[place])
                low, middle, high = (float(x) for x in np.quantile(scores, (0.25, 0.5, 0.75)))
                by, name = ("tenth", str(place + 1)) if isinstance(place, int) else ("segment", place)
                mean = float(scores.mean(dtype=np.float64))
                yield Spread(method, by, name, mean, (low, middle, high), len(scores), len(places[place]))

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
