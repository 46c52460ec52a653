"""ats.compare: the same question about two texts or two models, word opposite word."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from attnscope.errors import AttnscopeError, InputError
from attnscope.methods import explain, parameters_of
from attnscope.models.architecture import task_of
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.loading.load import Model, load
from attnscope.models.targets.label_probabilities import all_labels, choices, together
from attnscope.results.attribution import Attribution
from attnscope.results.comparison import ComparedSide, Comparison, opposites, paired_words
from attnscope.studies.label_request import asked_for_label
from attnscope.text.alignment import Opposite

_log = logging.getLogger(__name__)


def compare(
    model: Model,
    clean: str,
    adversarial: str | None = None,
    sample: str | None = None,
    labels: Sequence[str | int] = (),
    method: str = "gradient",
    *,
    other: Model | None = None,
    expected: str | int | None = None,
    target: str | int | None = None,
    names: tuple[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    chat: bool = False,
    **parameters: Any,
) -> Comparison:
    """Two texts, or one text under two models, opposite each other: words, scores, predictions.

    clean, adversarial: the two texts; with `other`, adversarial may be left out: one text under two models.
    sample:     what the prompts are about: it follows both of them after a space.
    labels:     the answers that there are, as the model would write them (" positive"); a classifier has its own. Each
                side's probabilities are shares among them.
    method, parameters: of `explain`. Both sides explain the same label: `target`, else `expected` (the right label),
                else what the left side predicts.
    names:      of the sides; "clean" and "adversarial", or the two models' names.
    tags:       what the pair is of, such as {"attack": "textfooler"}.

    Where labels are known, each edit is undone alone in the right text, and `restores` says how far the probability of
    the left side's prediction comes back: the edits that explain a flip. Edits that only work together restore nothing
    alone. Raises InputError where nothing differs that could be compared, and what `explain` raises.

    >>> compare(load(), "Is it good?", "Iis it goood?", labels=[" yes", " no"])  # doctest: +SKIP
    """
    model = load(model)
    models = (model, model if other is None else load(other))
    if adversarial is None and other is None:
        raise InputError("there is one text and one model: give adversarial, or another model as other=")
    prompts = (clean, clean if adversarial is None else adversarial)
    texts = tuple(_with_sample(prompt, sample) for prompt in prompts)
    if names is None:
        names = ("clean", "adversarial") if other is None else (models[0].name, models[1].name)
    answers = [_labels(one, labels) for one in models]
    found = [_probabilities(one, [text], own, chat)[0] for one, text, own in zip(models, texts, answers, strict=True)]
    asked = target if target is not None else expected
    results = []
    for one, text, own in zip(models, texts, answers, strict=True):
        given = {"chat": True} if chat and "chat" in parameters_of(method) else {}
        if own:
            given |= asked_for_label(one, method, own, _index(one, own, asked, int(np.argmax(found[0]))), parameters)
        result = explain(one, text, method, **(given | parameters))
        if not isinstance(result, Attribution):
            raise InputError("a comparison takes one result a side: leave out per_token, or compare result[0]s")
        results.append(result)
    shown = [
        tuple((_name(one, label), float(p)) for label, p in zip(own, probabilities, strict=True))
        for one, own, probabilities in zip(models, answers, found, strict=True)
    ]
    left, right = (ComparedSide(n, r, p) for n, r, p in zip(names, results, shown, strict=True))
    restores: dict[int, float] = {}
    if answers[1] and texts[0] != texts[1] and answers[0] == answers[1]:
        restores = _restored(models[1], left, right, answers[1], found[1], chat)
    expected_name = None if expected is None else _name(model, expected)
    return Comparison(left, right, paired_words(left, right, restores), expected_name, dict(tags or {}))


def _with_sample(prompt: str, sample: str | None) -> str:
    if sample is None:
        return prompt
    return prompt + sample if prompt[-1:].isspace() or sample[:1].isspace() else f"{prompt} {sample}"


def _labels(model: Model, labels: Sequence[str | int]) -> tuple[str | int, ...]:
    if labels:
        return tuple(labels)
    return all_labels(model) if task_of(model.model) == "classifier" else ()


def _index(model: Model, labels: Sequence[str | int], asked: str | int | None, predicted: int) -> int:
    if asked is None:
        return predicted
    if asked in labels:
        return labels.index(asked)
    names = [_name(model, label) for label in labels]
    if asked in names:
        return names.index(str(asked))
    raise InputError(f"{asked!r} is none of the labels {list(labels)!r}: give one of them, as it is written there")


def _name(model: Model, label: str | int) -> str:
    if isinstance(label, int):
        return str((model.model.config.id2label or {}).get(label, label))
    return label


def _probabilities(model: Model, texts: Sequence[str], labels: Sequence[str | int], chat: bool) -> list[list[float]]:
    """Of each text the share of each label."""
    if not labels:
        return [[] for _ in texts]
    encoded = encoded_texts(model, list(texts), chat=chat)
    rows = together([choices(model, one, labels) for one in encoded]).numpy()
    shares = np.exp(rows - np.logaddexp.reduce(rows, axis=1, keepdims=True))
    return [[float(p) for p in row] for row in shares]


def _restored(
    model: Model,
    left: ComparedSide,
    right: ComparedSide,
    labels: Sequence[str | int],
    before: Sequence[float],
    chat: bool,
) -> dict[int, float]:
    """Of each edit, by the number of its pair: what undoing it alone on the right gives the left side's prediction."""
    aligned = opposites(left.result, right.result)
    edited = [number for number, one in enumerate(aligned) if one.kind != "same"]
    texts = {number: _undone(left.result, right.result, aligned, number) for number in edited}
    texts = {number: text for number, text in texts.items() if text.strip()}
    wanted = int(np.argmax([p for _, p in left.probabilities]))
    try:
        found = _probabilities(model, list(texts.values()), labels, chat) if texts else []
    except AttnscopeError as error:
        _log.warning("the edits were not undone one by one: %s", error)
        return {}
    return {number: row[wanted] - before[wanted] for number, row in zip(texts, found, strict=True)}


def _undone(left: Attribution, right: Attribution, aligned: Sequence[Opposite], number: int) -> str:
    """The right text with one edit undone; the spaces around a word that comes or goes are the left text's."""
    one = aligned[number]
    text = right.text
    if one.right is not None:
        word = right.words[one.right]
        if one.left is not None:
            return text[: word.start] + left.words[one.left].text + text[word.end :]
        # A word that was put in goes with the space before it.
        start = right.words[one.right - 1].end if one.right else 0
        return text[:start] + text[word.end :] if start else text[word.end :].lstrip()
    assert one.left is not None
    lost = left.words[one.left]
    gap = left.text[left.words[one.left - 1].end : lost.start] if one.left else ""
    before = next((a.right for a in reversed(aligned[:number]) if a.right is not None), None)
    at = 0 if before is None else right.words[before].end
    return text[:at] + gap + lost.text + (text[at:] if at else " " + text)
