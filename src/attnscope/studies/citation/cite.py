"""`ats.cite`: which passages, turns or sentences did each statement of an answer rely on? And `ats.learn_heads`."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.methods.build import provenance
from attnscope.models.default_settings import default_settings
from attnscope.models.loading.load import Model
from attnscope.results.citation.citation import LEVELS, Citation, CitationMethod, Statement
from attnscope.results.citation.head_weights import HeadWeights
from attnscope.results.plain import plain_numbers
from attnscope.studies.citation.deletion import effects_of, opened
from attnscope.studies.citation.gradients import GRADIENTS, gradient_scores
from attnscope.studies.citation.halves import halves
from attnscope.studies.citation.heads import attention_shares, heads, learnt
from attnscope.studies.citation.prompt import Passage
from attnscope.studies.citation.setup import Setup, asked_of, setup
from attnscope.studies.citation.surrogate import surrogate
from attnscope.text.inputs import Messages

_UNITS = {"deletion": "nats", "surrogate": "logits", "heads": "share of attention", **GRADIENTS}
METHODS = get_args(CitationMethod)


def cite(
    model: Model,
    question: str | Messages,
    passages: Sequence[Passage] | None = None,
    answer: str | None = None,
    *,
    method: CitationMethod = "deletion",
    depth: Literal["source", "sentence", "word"] | None = None,
    search: Literal["all", "halves"] = "all",
    masks: int | None = None,
    tolerance: float | None = None,
    seed: int = 0,
    weights: HeadWeights | str | os.PathLike[str] | None = None,
    exact: int = 3,
    generate: int = 64,
    template: str | None = None,
    segments: Mapping[str, Sequence[int]] | Literal["paragraphs", "turns"] | None = None,
    unit: Literal["sentence", "word", "segment"] | None = None,
    within: str | Sequence[int] | None = None,
    tools: Any = None,
    chat_template_kwargs: Mapping[str, Any] | None = None,
) -> Citation:
    """Score each source for each statement (sentence) of the answer.

    question:  a question about the passages; or, without passages, a chat as a list of messages, of which the turns
               are the sources, or a text, of which the paragraphs are.
    passages:  texts, or {"text": …, "title": …, "id": …}. They and the question go into the model's chat template where
               it has one, and into a plain text otherwise, as `attnscope.studies.citation.prompt` has it; `template`
               is another text with {passages} and {question}.
    answer:    the answer; by default what the model itself writes, greedily, at most `generate` tokens. Of a chat that
               ends with a reply, that reply, or the part of it that is given.
    method:    "deletion": what a statement's log-probability loses when a source is left out of the prompt, in nats,
               exact, one pass a source behind what comes before it. `depth` ("sentence" by default, "source", "word")
               says how far the sources are opened in which something is found. `search` "halves" leaves out groups of
               sources and opens the one that costs most, for the source that each statement loses most without by
               about log₂ n + 2 passes; the others have equal shares of what their groups cost.
               "surrogate": slopes of a sparse linear model over random sets of sources, in logits, with 95 % intervals
               (ContextCite, arXiv:2409.00729); `masks` sets (64), or with `tolerance` as many as it takes.
               "heads": the heads' attention to a source, by one pass, combined with equal weights or with those that
               `learn_heads` has learnt (after AT2, arXiv:2504.13752): `weights`, or the file they were saved in.
               "gradient", "mask_gradient", "gim": those of `explain`, of the statement's log-probability, summed over
               a source's tokens; one forward and one backward pass a statement. The first is a norm, without a sign.
    exact:     of all methods but deletion, the true effect is measured too, for this many sources of each statement.
    segments, unit, within: without passages, what the sources are, as of `explain`: within="3 assistant thinking"
               are the sentences of that turn.

    Every statement has its log-probability with all sources and without any, so that *none of these* is an outcome:
    `result.cited(i)` is empty. Statements' values add up to the answer's.

    Sources that say the same hide each other: leaving out either changes little. Raises InputError for what cannot be
    used, TextTooLongError where all is more than the model takes, InputError for a model that writes no text.

    >>> passages = ["Himeji Castle took its form in 1609.", "Kumamoto Castle was built in 1607."]
    >>> found = ats.cite(model, "When was Kumamoto Castle built?", passages, "It was built in 1607.")
    >>> found.cited(0)
    [1]
    """
    masks, exact, seed, generate = map(plain_numbers, (masks, exact, seed, generate))
    _check(method, depth, search, masks, tolerance, weights, exact)
    chosen = HeadWeights.load(weights) if isinstance(weights, str | os.PathLike) else weights
    with default_settings():
        found = setup(
            model, question, passages, answer, generate=generate, template=template, segments=segments, unit=unit,
            within=within, tools=tools, chat_template_kwargs=chat_template_kwargs,
        )  # fmt: skip
        whole, without = found.values_without([frozenset(), found.tokens(range(len(found.parts)))])
        parts, low, high, narrow = found.parts, None, None, None
        if method == "deletion":
            scores, effects = halves(found) if search == "halves" else (effects_of(found, parts),) * 2
            parts, below = opened(found, scores, depth or "sentence")
            scores, effects = (np.concatenate([matrix, below], 1) for matrix in (scores, effects))
            found.options |= {"search": search} if search == "halves" else {}
        else:
            if method == "surrogate":
                fit = surrogate(found, masks, tolerance, seed)
                scores, low, high, narrow = fit.scores, fit.low, fit.high, fit.narrow
                found.options |= {"masks": fit.masks, "seed": seed, "tolerance": tolerance}
            elif method in GRADIENTS:
                scores = gradient_scores(found, method)
            else:
                scores = heads(found, chosen)
                found.options["weights"] = "equal" if chosen is None else _said_of(chosen, model)
            effects = _exact(found, scores, exact)
    statements = tuple(
        Statement(found.answer[start:end], start, end, float(whole[k]), float(without[k]))
        for k, (start, end) in enumerate(found.statements)
    )
    return Citation(
        question=found.question,
        answer=found.answer,
        statements=statements,
        sources=tuple(part.source for part in parts),
        scores=scores,
        effects=effects,
        method=method,
        unit="nats" if chosen is not None else _UNITS[method],
        passes=found.passes,
        low=low,
        high=high,
        options=found.options,
        narrow=narrow,
        provenance=provenance(model),
    )


def learn_heads(
    model: Model,
    questions: Iterable[Mapping[str, Any]] | None = None,
    *,
    generate: int = 64,
    template: str | None = None,
) -> HeadWeights:
    """Learn how much each head's attention says about the effect of a source, for `cite(…, method="heads")`.

    questions: {"question": …, "passages": […], "answer": …}, the answer given or left out; without any, 24 generated
               ones with made-up facts. Each takes a pass for every passage, and three more.

    Raises InputError for a question that cannot be used.

    >>> passages = ["The castle is in Himeji.", "The river is wide."]
    >>> questions = [{"question": f"{one} is it?", "passages": passages, "answer": "Here."} for one in ("What", "How")]
    >>> weights = ats.learn_heads(model, questions)
    >>> weights.learnt_from, len(weights.weights)
    (2, 270)
    """
    from attnscope.studies.citation.generated import LEARNT_FROM, fact_sets

    examples = []
    layers: list[tuple[int, int]] = []
    with default_settings():
        given = fact_sets(24, passages=6, world=LEARNT_FROM) if questions is None else questions
        for number, asked in enumerate(given):
            found = asked_of(model, asked, number, generate=generate, template=template)
            shares, layers = attention_shares(found, found.parts)
            examples.append((shares, effects_of(found, found.parts)))
    return learnt(model, examples, layers)


def _check(
    method: str, depth: str | None, search: str, masks: int | None, tolerance: float | None, weights: object, exact: int
) -> None:
    """Raises InputError for an option that the method does not have."""
    if method not in METHODS:
        raise InputError(f"method={method!r}: choose from {', '.join(METHODS)}")
    if depth is not None and depth not in LEVELS:
        raise InputError(f"depth={depth!r}: choose from {', '.join(LEVELS)}")
    if search not in ("all", "halves"):
        raise InputError(f"search={search!r}: choose from all, halves")
    owners: dict[str, tuple[object, str]] = {
        "depth": (depth, "deletion"),
        "search": (None if search == "all" else search, "deletion"),
        "masks": (masks, "surrogate"),
        "tolerance": (tolerance, "surrogate"),
    }
    owners["weights"] = weights, "heads"
    for name, (value, owner) in owners.items():
        if value is not None and method != owner:
            raise InputError(f"{name} is of method={owner!r}, and method={method!r} was asked: leave it out")
    if type(exact) is not int or exact < 0:
        raise InputError(f"exact={exact!r}: give a whole number, 0 or more")


def _said_of(weights: HeadWeights, model: Model) -> str:
    other = f" on {weights.model}" if weights.model != provenance(model)["model"] else ""
    return f"learnt from {weights.learnt_from} questions{other}"


def _exact(found: Setup, scores: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The true effects of the `count` sources with the largest scores of each statement; NaN for the others."""
    effects = np.full(scores.shape, np.nan)
    chosen = sorted({int(i) for row in scores for i in np.argsort(-row, kind="stable")[:count]})
    if chosen:
        effects[:, chosen] = effects_of(found, [found.parts[i] for i in chosen])
    return effects
