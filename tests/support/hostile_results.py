"""Results of every type that are made of given strings, and another string for each string of a result."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from attnscope.results.agreement import Agreement
from attnscope.results.attention_maps import STATISTICS, AttentionMaps, TextSide, quantise
from attnscope.results.attribution import Attribution, Token, Word
from attnscope.results.base import Asked, Measured
from attnscope.results.citation.citation import Citation, Source, Statement
from attnscope.results.comparison import ComparedSide, Comparison, Comparisons, WordPair
from attnscope.results.corpus.gathered import Spread
from attnscope.results.corpus.head_profiles import HeadProfiles, HeadSums
from attnscope.results.corpus.summary import ExampleText, SurveySummary, WordRow
from attnscope.results.effects.edge_effects import EdgeEffects
from attnscope.results.effects.effect import Effect, Ranked, Taken, TakenEdge, TakenWord, TokenEffect
from attnscope.results.effects.head_effects import HeadEffects
from attnscope.results.evaluation import YARDSTICK, Evaluation, EvaluationRow
from attnscope.results.per_token import PerToken, TargetToken
from attnscope.results.similarity import Similarity
from attnscope.text.words import TokenSpan, WordSpan

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    'x" onmouseover="alert(1)',
    "x' onfocus='alert(1)",
    "'",
    "<!--",
    "-->]]>",
    "</style></title></textarea>",
    "javascript:alert(1)",
    "nul\0nul",
    "\x1b[31mred\x1b]0;title\a",
    "c1\x85\x9b31m\x7f",
    "one\ntwo\r\nthree\rfour\tfive",
    "\u202eover\u2066\u200f",
    "half\ud800pair",
    "bare\rreturn",
    "${x} ${title}",
    "$low $$",
    "&amp;&lt;&#0;",
    "a\u2028b\u2029c\ufeff",
    r"\textbf{x}\input{y} $x^2$ {} #1 % & _ ~ ^",
    r"[9pt] \\[9pt]",
    "*",
    "=1+1",
    "+1+cmd|'/c calc'!A0",
    "@SUM(1)",
    "-2+3",
    "\t=1",
    "|`tick`|",
    "{{7*7}} {0} %s",
)
TAME = tuple(f"tame{number}" for number in range(len(HOSTILE)))
# Names that the code itself looks for. Every other string is free.
KEPT = frozenset(
    (*STATISTICS, YARDSTICK, "model", "word", "self", "cross",
     "attack", "task", "same", "metrics", "shares", "skipped", "replacement", "better", "higher", "asks", "value",
     "paper", "methods", "texts", "failed", "words", "known", "wrong")
)  # fmt: skip

ASKED = Asked(
    options={"own option": {"own key": ["own value", 1.5, None]}, "flag": True}, target="a target",
    quantity="a quantity", unit="a unit", segments={"user": (0, 1)}, query="asked", stack="a stack",
    target_token="a token", text_pair="a pair", messages=({"role": "a role", "content": "a content"},),
    chat_template_kwargs={"a variable": "its value"},
)  # fmt: skip
MEASURED = Measured(
    excluded_mass=0.25, query_tokens=(1, 2), query_text="another text", fixed=(3,), mechanism="a mechanism",
    answer=("an answer",), turns={"a turn": (0, 1)}, template=("before", "after"), value=-1.0,
    by_head={"a layer": (0.5, -0.25)},
)  # fmt: skip


class Swap:
    """Another string for each string of a result, the same for the same, and none for two.

    seen: (type, field) under which there was a string.
    """

    def __init__(self, strings: tuple[str, ...]) -> None:
        self.strings = strings
        self.known: dict[str, str] = {}
        self.seen: set[tuple[type, str]] = set()

    def __call__(self, value: Any, place: tuple[type, str] | None = None) -> Any:
        if isinstance(value, str):
            if place:
                self.seen.add(place)
            if value not in self.known and value not in KEPT:
                self.known[value] = f"{self.strings[len(self.known) % len(self.strings)]} {len(self.known)}"
            return self.known.get(value, value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return dataclasses.replace(value, **{f.name: self._field(value, f.name) for f in dataclasses.fields(value)})
        if isinstance(value, Mapping):
            return {self(key, place): self(each, place) for key, each in value.items()}
        if isinstance(value, tuple | list):
            return type(value)(self(each, place) for each in value)
        return value

    def _field(self, value: Any, name: str) -> Any:
        given, place = getattr(value, name), (type(value), name)
        # A text and its words have to say the same: `spread` has made them of these strings already.
        if name == "text" and (hasattr(value, "words") or getattr(value, "start", 0) < getattr(value, "end", 0)):
            self.seen.add(place)
            return given
        return self(given, place)


def spread(strings: tuple[str, ...]) -> tuple[str, list[tuple[int, int]]]:
    """A text with each string as one word, and where the words are."""
    spans, start = [], 0
    for string in strings:
        # A spreadsheet's tab in front is white space, which no word begins with.
        spans.append((start + len(string) - len(string.lstrip()), start + len(string)))
        start += len(string) + 1
    return " ".join(strings), spans


def attribution(strings: tuple[str, ...], method: str = "method", signed: bool = False) -> Attribution:
    text, spans = spread(strings)
    scores = np.random.default_rng(len(method)).normal(size=len(spans)).tolist()
    scores = scores if signed else [abs(score) for score in scores]
    words = tuple(Word(text[a:b], a, b, score) for (a, b), score in zip(spans, scores, strict=True))
    tokens = (Token("<s>", 0, 0, True, 0.5), *(Token(w.text, w.start, w.end, False, w.score) for w in words))
    provenance = {"model": "a model", "revision": "a revision", "own fact": {"name": "version"}}
    return Attribution(
        method, "family", text, tokens, words, asked=ASKED, measured=MEASURED, signed=signed, provenance=provenance
    )


def per_token(strings: tuple[str, ...]) -> PerToken:
    first = attribution(strings)
    targets = (TargetToken("generated", None, -1.5), TargetToken("in the text", 5, -0.5))
    chance = np.random.default_rng(0)
    return PerToken(first, targets, chance.random((2, len(first.tokens))), chance.random((2, len(first.words))))


def agreement(strings: tuple[str, ...]) -> Agreement:
    results = (attribution(strings), attribution(strings, "another method", signed=True))
    return Agreement(results, ("one name", "two name"), np.array([[1, 0.5], [0.5, 1]]), np.eye(2), 3, "magnitude")


def attention_maps(strings: tuple[str, ...]) -> AttentionMaps:
    sides = []
    for order in (strings, strings[::-1]):
        text, spans = spread(order)
        tokens = (TokenSpan("[CLS]", 0, 0, True), *(TokenSpan(text[a:b], a, b, False) for a, b in spans))
        sides.append(TextSide(text, tokens, tuple(WordSpan(a, b, (i,)) for i, (a, b) in enumerate(spans, 1))))
    count = len(sides[0].tokens)
    weights = np.random.default_rng(0).random((1, 1, count, count)).astype(np.float32)
    statistics = {"entropy": weights.sum(-1), "first": weights[:, :, :, 0].mean(-1)}
    provenance = {"model": "a model", "own fact": "version"}
    places = tuple(range(count))
    kept = (*quantise(weights), statistics)
    return AttentionMaps(
        *sides, (0,), (0,), places, places, *kept, asked=ASKED, measured=MEASURED, provenance=provenance
    )


def comparison(strings: tuple[str, ...]) -> Comparison:
    left = ComparedSide("clean", attribution(strings), (("label one", 0.75), ("label two", 0.25)))
    right = ComparedSide("attacked", attribution(strings[::-1]), (("label one", 0.25), ("label two", 0.75)))
    last = len(strings) - 1
    pairs = [
        WordPair(i, i, "changed" if i % 2 else "same", 0.5, i % 3 - 1, 0.25 if i % 2 else None) for i in range(last)
    ]
    pairs += [WordPair(last, None, "deleted", -0.5, None), WordPair(None, last, "inserted", 0.5, None, 0.125)]
    return Comparison(left, right, tuple(pairs), "label one", {"attack": "typo", "task": "reviews", "own tag": "own"})


def evaluation(strings: tuple[str, ...]) -> Evaluation:
    settings = {
        "model": "a model", "replacement": "delete",
        "shares": np.linspace(0, 1, 5).tolist(), "own setting": {"name": "value"},
        "metrics": {
            "metric_one": {"better": "higher", "asks": "faithfulness", "value": "what it is", "paper": "a paper"},
            "metric_two": {"better": "lower", "asks": "other", "value": "what else", "paper": "another"},
        },
        "skipped": {"left out": "a reason"},
    }  # fmt: skip
    words = tuple(string.strip() for string in strings)
    scores = tuple(np.linspace(0, 1, len(words)).tolist())
    rows = [
        EvaluationRow(f"key {text}", text, method, {"metric_one": good + text, "metric_two": -good},
            {"a curve": (0.9, 0.5, good)}, words, scores, scores[::-1], "said", "right", 0.75, False, 0.1,
            {"metric_one": (good, good + 1)} if method == YARDSTICK else {})
        for text in range(3) for method, good in (("method one", 0.5), ("method_two", 0.25), (YARDSTICK, 0.125))
    ]  # fmt: skip
    return Evaluation(settings, tuple(rows))


def effect(strings: tuple[str, ...]) -> Effect:
    words = [TakenWord(string, (i,)) for i, string in enumerate(strings)]
    edges = tuple(TakenEdge(one, other) for one, other in zip(words[:4], words[4:8], strict=True))
    taken = Taken(
        heads=((1, 2),), how="how", edges=edges, edge_layers=(1,), words=(words[8], words[9]), replacement="replaced",
        stack="a stack",
    )  # fmt: skip
    ranking = tuple(Ranked(string, 0.5, 0.25, i + 1, i + 2) for i, string in enumerate(strings))
    tokens = tuple(TokenEffect(string, -0.5, -i) for i, string in enumerate(strings))
    provenance = {"model": "a model", "own fact": "version"}
    return Effect(
        " ".join(strings), "a target", "a quantity", taken, -1.0, -2.0, 0.5, tokens, ranking, ("a note",), provenance
    )


def head_effects(strings: tuple[str, ...]) -> HeadEffects:
    numbers = np.random.default_rng(0).normal(size=(1, 2, 3))
    return HeadEffects(
        (" ".join(strings),), ("a target",), "a quantity", (-1.0,), (1, 3), (3, 3), numbers, numbers, "how", "a stack",
        notes=("a note",), provenance={"model": "a model", "own fact": "version"},
    )  # fmt: skip


def edge_effects(strings: tuple[str, ...]) -> EdgeEffects:
    numbers = np.random.default_rng(0).normal(size=(1, len(strings), 3))
    return EdgeEffects(
        (" ".join(strings),), ("a target",), "a quantity", (-1.0,), strings, "the queries", (0, 1, 3), 2, numbers,
        stack="a stack", notes=("a note",), provenance={"model": "a model", "own fact": "version"},
    )  # fmt: skip


def similarity(strings: tuple[str, ...]) -> Similarity:
    sides = [dataclasses.replace(attribution(one), signed=True) for one in (strings, strings[::-1])]
    words, tokens = ([len(getattr(side, unit)) for side in sides] for unit in ("words", "tokens"))
    scores = np.linspace(-0.5, 1, words[0] * words[1]).reshape(words)
    pooled = np.linspace(-0.5, 1, tokens[0] * tokens[1]).reshape(tokens)
    alone = [np.linspace(-0.5, 1, count) for count in words]
    return Similarity(*sides, scores, pooled, *alone, 0.75, (0.25, 0.125))


def citation(strings: tuple[str, ...]) -> Citation:
    answer, spans = spread(strings)
    statements = tuple(Statement(answer[a:b], a, b, -1.0, -5.0 * (i % 2) - 1.0) for i, (a, b) in enumerate(spans))
    sources = tuple(
        Source(string, string, string, "source", None if i < 3 else i % 3) for i, string in enumerate(strings)
    )
    scores = np.arange(len(statements) * len(sources), dtype=float).reshape(len(statements), -1)
    return Citation(
        "a question", answer, statements, sources, scores, np.where(scores > 3, scores, np.nan), "a method", "a unit",
        9, scores - 1, scores + 1, {"an option": "a value"}, False, {"model": "a model", "own fact": "version"},
    )  # fmt: skip


def head_profiles(strings: tuple[str, ...]) -> HeadProfiles:
    sums = HeadSums(("entropy", "previous"), ((0, 0), (3, 1)))
    for number in range(len(strings)):
        sums.add(np.full((2, 2), float(number)), number)
    return HeadProfiles.of([sums], dict(enumerate(strings)), {"model": "a model", "own fact": "version"})


def survey_summary(strings: tuple[str, ...]) -> SurveySummary:
    rows = tuple(
        WordRow("gradient", "all texts", string, 0.5, 0.25, 0.75, 5, 6, (i,)) for i, string in enumerate(strings)
    )
    texts = {
        i: ExampleText(string, string, string, 0.5, {"gradient": ((0, len(string), 0.5),)})
        for i, string in enumerate(strings)
    }
    spread = tuple(Spread("gradient", "segment", string, 0.5, (0.25, 0.5, 0.75), 4, 3) for string in strings)
    return SurveySummary(
        {"methods": [["gradient", {}]]}, {"model": "a model", "own fact": "version"},
        {"texts": 9, "failed": 1, "known": 8, "wrong": 2, "words": 40}, {"all texts": 9}, rows,
        spread, (("gradient", "deletion", 0.25, 8),), {"gradient": (0.5, 0.25, 4)}, texts,
    )  # fmt: skip


BASES: dict[type, Callable[[tuple[str, ...]], Any]] = {
    Attribution: attribution,
    PerToken: per_token,
    Agreement: agreement,
    AttentionMaps: attention_maps,
    Comparison: comparison,
    Comparisons: lambda strings: Comparisons((comparison(strings), comparison(strings[::-1]))),
    Similarity: similarity,
    Evaluation: evaluation,
    Effect: effect,
    Citation: citation,
    HeadEffects: head_effects,
    EdgeEffects: edge_effects,
    HeadProfiles: head_profiles,
    SurveySummary: survey_summary,
}
