"""Results to draw, made by hand: no model is needed to test a picture."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from drawn_maps import maps_of

import attnscope as ats
from attnscope.results.agreement import Agreement
from attnscope.results.attribution import Attribution, Token, Word
from attnscope.results.base import Asked, Measured
from attnscope.results.citation.citation import Citation, Source, Statement
from attnscope.results.comparison import ComparedSide, Comparison, Comparisons, paired_words
from attnscope.results.corpus.gathered import Spread
from attnscope.results.corpus.head_profiles import HeadProfiles, HeadSums
from attnscope.results.corpus.summary import ExampleText, SurveySummary, WordRow
from attnscope.results.effects.edge_effects import EdgeEffects
from attnscope.results.effects.effect import Effect, Ranked, Taken, TakenEdge, TakenWord, TokenEffect
from attnscope.results.effects.head_effects import HeadEffects
from attnscope.results.evaluation import Evaluation, EvaluationRow
from attnscope.results.per_token import PerToken, TargetToken
from attnscope.results.similarity import Similarity
from attnscope.text.segments import sentences

PROVENANCE = {"model": "tests/tiny", "revision": None, "dtype": "float32", "attention": "sdpa", "attnscope": "0.1.0"}


def result(
    text: str,
    scores: Sequence[float] | None = None,
    *,
    pattern: str = r"\S+",
    method: str = "gradient",
    options: dict[str, Any] | None = None,
    asked: dict[str, Any] | None = None,
    measured: dict[str, Any] | None = None,
    special: Sequence[tuple[int, int]] = (),
    **fields: Any,
) -> Attribution:
    """One word and one token per match of `pattern`, with made-up scores; BOS in front."""
    spans = [m.span() for m in re.finditer(pattern, text)]
    chance = random.Random(len(text))
    scores = list(scores) if scores is not None else [chance.random() ** 3 for _ in spans]
    words = tuple(Word(text[a:b], a, b, s) for (a, b), s in zip(spans, scores, strict=True))
    tokens = [Token(w.text, w.start, w.end, False, w.score) for w in words if (w.start, w.end) not in special]
    tokens += [Token(text[a:b], a, b, True, 0.9) for a, b in special]
    tokens.sort(key=lambda t: t.start)
    bos = Token("<s>", 0, 0, True, 0.5)
    chosen = options if options is not None else {"pool": "sum", "norm": "l2", "preset": None, "loss": 3.1}
    return Attribution(
        method,
        "attention" if method == "attention" else "gradient",
        text,
        (bos, *tokens),
        words,
        Asked(options=chosen, **asked or {}),
        Measured(**measured or {}),
        provenance=PROVENANCE | fields,
    )


def per_token(first: Attribution, count: int = 3, signed: bool = False, mass: float | None = None) -> PerToken:
    """The last `count` words are what was generated; each is scored by what stands before it."""
    chance = np.random.default_rng(3)
    places = [i for i, token in enumerate(first.tokens) if not token.special][-count:]
    shape = (count, len(first.tokens)), (count, len(first.words))
    tokens, words = (chance.normal(size=s) if signed else chance.random(s) for s in shape)
    for row, place in enumerate(places):
        tokens[row, place:] = 0
        words[row, [w.start >= first.tokens[place].start for w in first.words]] = 0
    targets = tuple(TargetToken(first.tokens[i].text, i, -1.5 - i) for i in places)
    made = replace(
        first,
        signed=signed,
        asked=Asked(target="log-probability of each token"),
        measured=Measured(completeness_error=0.25, standard_error=(0.01, 0.125), excluded_mass=mass),
    )
    return PerToken(made, targets, tokens, words)


def per_byte(quantity: str = "log_probability", **fields: Any) -> PerToken:
    """Of 「首都は東京。」, written after 首都は in tokens that are bytes: two of each kanji, one of the full stop."""
    text, spans = "首都は東京。", [(0, 2), (2, 3), (3, 4), (3, 4), (4, 5), (4, 5), (5, 6)]
    words = [(0, 2), (2, 3), (3, 5), (5, 6)]
    first = result(text, [0.0] * 4, pattern="首都|は|東京|。", asked={"quantity": quantity}, **fields)
    tokens = tuple(Token(text[a:b], a, b, False, 0.0) for a, b in spans)
    measured = Measured(completeness_error=0.25, standard_error=(0.5,) * 4)
    first = replace(first, signed=True, tokens=(first.tokens[0], *tokens), measured=measured)
    targets = tuple(
        TargetToken(text[a:b], i, value)
        for i, ((a, b), value) in enumerate(zip(spans[2:], (0.5, 0.25, 0.5, 0.125, 0.75), strict=True), 3)
    )
    scores = np.arange(40, dtype=np.float64).reshape(5, 8)
    for row in range(5):
        scores[row, 3 + row :] = 0
    pooled = np.array([[row[1:8][[a <= s < b for s, _ in spans]].sum() for a, b in words] for row in scores])
    return PerToken(first, targets, scores, pooled)


def attention(text: str, query: int, **fields: Any) -> Attribution:
    """The attention of token `query`, which is word `query - 1`: BOS comes first."""
    return result(
        text, method="attention", options={"layer": 29, "head": "mean"}, asked={"query": query},
        measured={"query_tokens": (query,), "excluded_mass": 0.7134}, **fields,
    )  # fmt: skip


ENGLISH = (
    "The castle stood on the hill above the river, and from its northern tower you could see the whole valley.\n\n"
    "“Nobody has lived there since the war,” she said, “except for the crows.” He did not answer; he was counting "
    "the windows, as he had done every evening of that long and rainy summer."
)
JAPANESE = (
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所でニャーニャー泣いていた"
    "事だけは記憶している。\n吾輩はここで始めて人間というものを見た。"
)
ARABIC = "كان القصر يقف على التل فوق النهر، ومن برجه الشمالي كان بإمكانك رؤية الوادي كله (في 1923)."
HEBREW = "הטירה עמדה על הגבעה מעל הנהר, and one English clause, ומן המגדל אפשר היה לראות את כל העמק."
SEGMENTS = r"[一-龠々]+|[ぁ-ん]{1,3}|[ァ-ヶー]+|[。、]"

RESULTS: dict[str, Attribution] = {
    "english": attention(ENGLISH, 2, pattern=r"\w+|[^\w\s]"),
    "japanese": result(JAPANESE, pattern=SEGMENTS),
    "arabic": result(ARABIC, pattern=r"\w+|[^\w\s]"),
    "hebrew": result(HEBREW),
    "emoji": result("A family 👨‍👩‍👧‍👦 and a flag 🇯🇵 and 👍🏽 and ❤️ e\u0301"),
    "script": result("a </script><b>bold</b> <script>alert(1)</script> &amp; & <!-- <!--<script> ]]> ${title} $low"),
    "quotes": result("\"double\" 'single' `tick` \\ back\\u003c %s {0} onerror=alert(1)"),
    "controls": result("nul\0 bell\a esc\x1b[31mred\x1b[0m cr\r\nlf del\x7f c1\x85\x9b31m end", pattern=r"[^ ]+"),
    "separators": result("a\u2028b\u2029c\u00a0d\u200be\ufefff \u202eover\u202c", pattern=r"[a-z]+|\u202eover\u202c"),
    "dollars": result("$x^2$ costs $5 and $\\frac{1}{2}$ or _{sub} \\textbf{x} ^^"),
    "markup": result("[bold] [/bold] [red]x[/] :smile: [link=http://example.com]y[/link]"),
    "spaces": result("\n\n  \t lead  two   three\n\n\n\ttab\ttab   \n", pattern=r"[^ \t\n]+|\n+|\t"),
    "newline words": result("one\ntwo\n\nthree\n", pattern=r"[a-z]+|\n"),
    "single": result("alone", [2.5]),
    "constant": result("all the same", [0.25, 0.25, 0.25]),
    "negative": result("below zero and huge tiny", [-1e300, 1e300, -0.0, 2.5e-300, 1.7e308]),
    "signed": replace(result("words for and against it", [1.0, 0.25, -2.0, 0.0, 0.5]), signed=True),
    "signed and empty of weight": replace(result("nothing at all", [0.0, 0.0, 0.0]), signed=True),
    "special in text": result("Say <|end|> here", [1.0, 2.0], pattern=r"Say|here", special=[(4, 11)]),
    "word in special": result("Say <|end|> here", [1.0, 3.0, 2.0], special=[(4, 11)]),
    "unbroken": result("x" * 500 + " " + "語" * 300),
    "odd parameters": result(
        "a b", options={"steps": 32, "nested": {"a": [1, 2.5, None]}}, asked={"target": "</title><x>"}
    ),
}


def long_result(words: int = 25_000, tokens_per_word: float = 1.2) -> Attribution:
    """A long prompt: about 30,000 tokens with scores as a float32 model gives them."""
    chance = random.Random(0)
    lexicon = ["the", "castle", "stood", "on", "a", "hill", "above", "windows", "river", "counting", "evening", "rain,"]
    parts, spans, position = [], [], 0
    for i in range(words):
        word = chance.choice(lexicon)
        spans.append((position, position + len(word)))
        gap = "\n\n" if i % 90 == 89 else " "
        parts.append(word + gap)
        position += len(word) + len(gap)
    text = "".join(parts)
    made, tokens = [], []
    for a, b in spans:
        cuts = [a, (a + b) // 2, b] if chance.random() < tokens_per_word - 1 and b - a > 1 else [a, b]
        scores = [float(chance.random() ** 4) for _ in cuts[1:]]
        tokens += [Token(text[c:d], c, d, False, s) for c, d, s in zip(cuts, cuts[1:], scores, strict=False)]
        made.append(Word(text[a:b], a, b, sum(scores)))
    asked = Asked(options={"loss": 3.1})
    return Attribution("gradient", "gradient", text, tuple(tokens), tuple(made), asked, provenance=PROVENANCE)


def agreement_of(text: str = ENGLISH, pattern: str = r"\w+|[^\w\s]") -> Agreement:
    one = result(text, pattern=pattern)
    chance = np.random.default_rng(1)
    signed = [float(s) for s in chance.normal(size=len(one.words))]
    flat = [0.5] * len(one.words)
    parts: list[Attribution] = [
        one,
        replace(
            result(text, signed, pattern=pattern, method="gim", options={}, measured={"completeness_error": 0.3}),
            signed=True,
        ),
        result(
            text, flat, pattern=pattern, method="random", options={}, measured={"standard_error": (0.2,) * len(flat)}
        ),
    ]
    return ats.agreement(parts)


def comparison(
    left: str = "the old castle", right: str = "the new castle", pattern: str = r"\S+", **tags: str
) -> Comparison:
    sides = [
        ComparedSide(name, result(text, pattern=pattern), ((" yes", p), (" no", 1 - p)))
        for name, text, p in (("clean", left, 0.8), ("adversarial", right, 0.3))
    ]
    words = paired_words(*sides)
    edits = {i: 0.1 * i for i, pair in enumerate(words) if pair.edit != "same"}
    return Comparison(*sides, paired_words(*sides, edits), " yes", tags)


def evaluation() -> Evaluation:
    generator = np.random.default_rng(0)
    about = {"asks": "faithfulness", "value": "what <b> it is", "paper": "arXiv:1"}
    settings = {
        "model": "tests/<tiny>", "replacement": "delete", "shares": np.linspace(0, 1, 21).tolist(),
        "metrics": {"area": {"better": "lower", **about}, "fall": {"better": "higher", **about}},
        "skipped": {"attention": "no <attention> here"},
    }  # fmt: skip
    rows = []
    for text in range(12):
        for method, good in (("deletion", 0.3), ("x<i>", 0.1), ("random", 0.0)):
            values = {"area": 0.6 - good + generator.normal(0, 0.02), "fall": good + generator.normal(0, 0.02)}
            curve = tuple(np.linspace(0.9, 0.2 + generator.random() / 5, 4).tolist())
            rows.append(
                EvaluationRow(f"k{text}", text, method, values, {"deletion": curve, "insertion": curve[::-1]},
                    ("</script>", "本", "c"), (0.1, 0.5, 0.2), (0.0, 1.0, 0.0), "yes", "yes", 0.9, True, 0.1)
            )  # fmt: skip
    return Evaluation(settings, tuple(rows))


def effect(text: str = "a castle on the hill", strings: Sequence[str] = (" hill", " river", " crow")) -> Effect:
    """A head, an edge, a layer and a word taken away; the last token rises."""
    first, second, third = strings
    taken = Taken(
        heads=((15, 7),), how="mean", edges=(TakenEdge(TakenWord(first, (4,)), None),), edge_layers=(3, 4),
        layers=(2,), words=(TakenWord(second, (1,)),), replacement="mean", references=2,
    )  # fmt: skip
    return Effect(
        text, f"log-probability of {first!r}", "log_probability", taken, -0.5, -2.25, 0.125,
        (TokenEffect(first, -0.25, -2.5), TokenEffect(third, -0.25, 0.25)),
        (Ranked(first, 0.6, 0.1, 1, 3), Ranked(second, 0.25, 0.5, 2, 1), Ranked(third, 0.0, 0.2, 90, 2)),
        (f"A note about {third}",), PROVENANCE,
    )  # fmt: skip


def head_profiles(other: HeadProfiles | None = None) -> HeadProfiles:
    generator = np.random.default_rng(0)
    sums = HeadSums(("entropy", "previous"), ((0, 0), (0, 1), (3, 0)))
    for number in range(4):
        values = generator.random((2, 3))
        values[1, 2] = np.nan
        sums.add(values, number)
    texts = {0: "a <b>castle</b>", 1: "</script>", 2: "日本の城", 3: "d"}
    return HeadProfiles.of([sums], texts, {"model": "tests/<tiny>"}, other)


def survey_summary() -> SurveySummary:
    rows = tuple(
        WordRow("gradient", group, word, mean, mean - 0.1, mean + 0.2, 4, 5, (0, 7))
        for group in ("all texts", "predicted <good>")
        for word, mean in (("castle", 0.9), ("</script>", 0.5), ("城", -0.2))
    )
    texts = {
        0: ExampleText("a castle <b>", "<good>", "bad", 0.75, {"gradient": ((2, 8, 0.9), (9, 12, 0.1))}),
        7: ExampleText("日本の城", None, None, None, {"gradient": ((3, 4, -0.2),)}),
    }
    spread = (
        *(Spread("gradient", "tenth", str(i), 0.5, (0.125, 0.25, 0.75), 4, 3) for i in (1, *range(3, 11))),
        *(Spread("gradient", "segment", name, 0.3, (0.1, 0.2, 0.4), 9, 2) for name in ("user", "<b>assistant")),
    )
    return SurveySummary(
        {"methods": [["gradient", {}]]}, PROVENANCE, {"texts": 9, "failed": 1, "known": 8, "wrong": 2, "words": 40},
        {"all texts": 9, "predicted <good>": 5}, rows, spread,
        (("gradient", "deletion", 0.25, 8),), {"gradient": (0.5, 0.25, 4)}, texts,
    )  # fmt: skip


def head_effects(count: int = 1, text: str = "a castle on the hill") -> HeadEffects:
    """Layers 1 and 3 with three and two heads; of two texts or more the exact effects have a spread."""
    estimates = np.array([[[0.5, -0.25, 0.0], [0.125, 1.0, np.nan]]] * count)
    exact = np.array([[[0.75 + i, -0.5, np.nan], [0.25, 1.5 - i / 4, np.nan]] for i in range(count)])
    return HeadEffects(
        (text,) * count, ("log-probability of ' hill'",) * count, "log_probability", (-0.5,) * count, (1, 3), (3, 2),
        estimates, exact, "mean", references=2, notes=("A note.",), provenance=PROVENANCE,
    )  # fmt: skip


def edge_effects(count: int = 1, words: Sequence[str] = ("castle", " hill"), text: str = "a castle") -> EdgeEffects:
    """Words × three layers."""
    effects = np.array([[[0.5 + i, -0.25, 0.0]] * len(words) for i in range(count)])
    return EdgeEffects(
        (text,) * count, ("log-probability of ' hill'",) * count, "log_probability", (-0.5,) * count, tuple(words),
        "the target", (0, 1, 3), 2, effects, notes=("A note.",), provenance=PROVENANCE,
    )  # fmt: skip


def similar(text: str, other: str) -> Similarity:
    """Two texts with planted scores: the further along both, the larger; the first pair is negative."""
    asked = Asked(options={"baseline": "pad", "steps": 20}, quantity="cosine similarity")
    sides = [
        replace(one, family="gradient", method="similarity", signed=True, asked=asked, measured=Measured(value=0.5))
        for one in (result(text), result(other))
    ]
    words, tokens = ([len(getattr(side, unit)) for side in sides] for unit in ("words", "tokens"))
    scores = np.linspace(-0.1, 0.4, words[0] * words[1]).reshape(words)
    pooled = np.linspace(-0.2, 0.3, tokens[0] * tokens[1]).reshape(tokens)
    alone = [np.linspace(-0.3, 0.1, count) for count in words]
    return Similarity(*sides, scores, pooled, *alone, 0.75, (0.25, 0.125))


def citation(
    question: str = "Who built the castle?",
    said: Sequence[str] = ("Aldo built the castle. ", "It is on a hill. ", "It rains."),
    passages: Sequence[str] = (
        "The castle was built by Aldo. He was rich.",
        "A hill rises here.",
        "The river is wide.",
    ),
    **fields: Any,
) -> Citation:
    """Three statements: from the first source, of which the first sentence says it; from the second; from none."""
    statements, start = [], 0
    for text, without in zip(said, (-20.0, -9.0, -2.25), strict=True):
        end = start + len(text.rstrip())
        statements.append(Statement(text.rstrip(), start, end, -2.0, without))
        start += len(text)
    sources = [Source(str(i + 1), text, "A title" if i == 1 else "") for i, text in enumerate(passages)]
    (a, b), (c, d) = sentences(passages[0])[:2]
    sources += [Source(f"1.{n}", passages[0][x:y], "", "sentence", 0, x) for n, x, y in ((1, a, b), (2, c, d))]
    scores = np.array([[12.5, 1.0, -0.5, 12.0, 0.25], [0.5, 6.0, 0.0, 0.25, 0.25], [0.1, 0.05, 0.0, 0.05, 0.0]])
    made: dict[str, Any] = {"effects": scores, "method": "deletion", "unit": "nats", "passes": 8} | fields
    return Citation(
        question=question, answer="".join(said), statements=tuple(statements), sources=tuple(sources), scores=scores,
        provenance=PROVENANCE, **made,
    )  # fmt: skip


def estimated(**fields: Any) -> Citation:
    """The same by a surrogate: intervals, and true effects of some sources only."""
    first = citation()
    effects = np.where(np.arange(5) < 2, first.scores, np.nan)
    ends = {"low": first.scores - 0.5, "high": first.scores + 0.75}
    options = {"masks": 64, "tolerance": 0.5}
    return replace(first, effects=effects, method="surrogate", unit="logits", options=options, **ends, **fields)


# One of each type.
EVERY: dict[str, Any] = {
    "attribution": result("a castle on the hill"),
    "per_token": per_token(result("a castle on the hill")),
    "attention_maps": maps_of("a castle on the hill"),
    "agreement": agreement_of("a castle on the hill", r"\S+"),
    "comparison": comparison(),
    "comparisons": Comparisons((comparison(), comparison(attack="typo"))),
    "similarity": similar("a castle on the hill", "the fortress"),
    "evaluation": evaluation(),
    "citation": citation(),
    "effect": effect(),
    "head_profiles": head_profiles(head_profiles()),
    "survey_summary": survey_summary(),
    "head_effects": head_effects(),
    "edge_effects": edge_effects(2),
}
