"""`ats.compare`: the same explanation of two texts, or by two models, word opposite word."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from attnscope.errors import AttnscopeError, InputError
from attnscope.methods.explain import DEFAULT, AnyMethod, explain
from attnscope.methods.table import method_of
from attnscope.models.architecture import task_of
from attnscope.models.default_settings import default_settings
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.loading.load import Model, load
from attnscope.models.targets.label_probabilities import all_labels, choices, probabilities
from attnscope.models.targets.labels import is_regression, label_name
from attnscope.results.attribution import Attribution
from attnscope.results.comparison import ComparedSide, Comparison, opposites, paired_words
from attnscope.results.plain import plain_lists, plain_numbers
from attnscope.studies.label_request import label_request
from attnscope.text.alignment import Opposite

_log = logging.getLogger(__name__)


def compare(
    model: Model,
    clean: str,
    adversarial: str | None = None,
    sample: str | None = None,
    labels: Sequence[str | int] = (),
    method: AnyMethod = DEFAULT,
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
    sample:     the text that the prompts are about, put after each of them with a space between.
    labels:     the possible answers, as the model would write them (" positive"); a classifier has its own. Each side's
                probabilities are shares among these labels; those of a multi-label classifier are independent, and a
                regression has none, only outputs to explain.
    method, parameters: of `explain`. Both sides explain the same label: `target`, else `expected` (the right label),
                else what the left side predicts.
    names:      the sides' names; by default "clean" and "adversarial", or the two models' names.
    tags:       where the pair comes from, such as {"attack": "textfooler"}.

    Where labels are known, each edit is undone alone in the right text, and `restores` says how far this brings back
    the probability of the left side's prediction. This shows which edits explain a flip. Edits that only work together
    restore nothing alone. Raises InputError where there is nothing to compare, and what `explain` raises.

    >>> compare(load(), "Is it good?", "Iis it goood?", labels=[" yes", " no"])  # doctest: +SKIP
    """
    model = load(model)
    labels, expected, target = plain_lists(labels), plain_numbers(expected), plain_numbers(target)
    models = (model, model if other is None else load(other))
    if adversarial is None and other is None:
        raise InputError("there is one text and one model: give adversarial, or another model as other=")
    prompts = (clean, clean if adversarial is None else adversarial)
    texts = tuple(_with_sample(prompt, sample) for prompt in prompts)
    if names is None:
        names = ("clean", "adversarial") if other is None else (models[0].name, models[1].name)
    labels_of_sides = [_labels(side_model, labels) for side_model in models]
    probabilities_of_sides = [
        _probabilities(side_model, [text], side_labels, chat)[0]
        for side_model, text, side_labels in zip(models, texts, labels_of_sides, strict=True)
    ]
    row = method_of(method)
    wanted = target if target is not None else expected
    sides = []
    for name, side_model, text, side_labels, of_labels in zip(
        names, models, texts, labels_of_sides, probabilities_of_sides, strict=True
    ):
        given: dict[str, Any] = {"chat": True} if chat else {}
        if side_labels:
            # The left side has no prediction where only the right model has labels of its own.
            predicted = int(np.argmax(probabilities_of_sides[0] or of_labels))
            label = _index(side_model, side_labels, wanted, predicted)
            given |= label_request(side_model, row, side_labels, label, parameters)
        elif target is not None:
            given["target"] = target
        result = explain(side_model, text, row, **(given | parameters))
        if not isinstance(result, Attribution):
            raise InputError("a comparison takes one result a side: leave out per_token, or compare result[0]s")
        label_names = [label_name(side_model, label) for label in side_labels]
        sides.append(ComparedSide(name, result, tuple(zip(label_names, of_labels, strict=True))))
    left, right = sides
    restores: dict[int, float] = {}
    if labels_of_sides[1] and texts[0] != texts[1] and labels_of_sides[0] == labels_of_sides[1]:
        restores = _restored(models[1], left, right, labels_of_sides[1], chat)
    expected_name = None if expected is None else label_name(model, expected)
    return Comparison(left, right, paired_words(left, right, restores), expected_name, dict(tags or {}))


def _with_sample(prompt: str, sample: str | None) -> str:
    if sample is None:
        return prompt
    return prompt + sample if prompt[-1:].isspace() or sample[:1].isspace() else f"{prompt} {sample}"


def _labels(model: Model, labels: Sequence[str | int]) -> tuple[str | int, ...]:
    if labels:
        return tuple(labels)
    return all_labels(model) if task_of(model.model) == "classifier" and not is_regression(model.model) else ()


def _index(model: Model, labels: Sequence[str | int], wanted: str | int | None, predicted: int) -> int:
    """The index of the wanted label, given as written among the labels or by its name; else of the predicted label."""
    if wanted is None:
        return predicted
    if wanted in labels:
        return labels.index(wanted)
    names = [label_name(model, label) for label in labels]
    if wanted in names:
        return names.index(str(wanted))
    raise InputError(f"{wanted!r} is none of the labels {list(labels)!r}: give one of them, as it is written there")


@default_settings()
def _probabilities(model: Model, texts: Sequence[str], labels: Sequence[str | int], chat: bool) -> list[list[float]]:
    """The probability of each label on each text."""
    if not labels:
        return [[] for _ in texts]
    answers = [choices(model, encoded, labels) for encoded in encoded_texts(model, list(texts), chat=chat)]
    rows: list[list[float]] = probabilities(answers).tolist()
    return rows


def _restored(
    model: Model, left: ComparedSide, right: ComparedSide, labels: Sequence[str | int], chat: bool
) -> dict[int, float]:
    """How far undoing an edit alone restores the left side's prediction, by the edit's index among the pairs."""
    pairs = opposites(left.result, right.result)
    undone = {
        index: undone_text(left.result, right.result, pairs, index)
        for index, pair in enumerate(pairs)
        if pair.kind != "same"
    }
    undone = {index: text for index, text in undone.items() if text.strip()}
    label = int(np.argmax([probability for _, probability in left.probabilities]))
    before = right.probabilities[label][1]
    try:
        after = _probabilities(model, list(undone.values()), labels, chat) if undone else []
    except AttnscopeError as error:
        _log.warning("the edits were not undone one by one: %s", error)
        return {}
    return {index: shares[label] - before for index, shares in zip(undone, after, strict=True)}


def undone_text(left: Attribution, right: Attribution, pairs: Sequence[Opposite], index: int) -> str:
    """The right text with one edit undone; the spaces around a restored word are those of the left text."""
    edit = pairs[index]
    text = right.text
    if edit.right is not None:
        word = right.words[edit.right]
        if edit.left is not None:
            return text[: word.start] + left.words[edit.left].text + text[word.end :]
        # An inserted word is removed with the space before it.
        start = right.words[edit.right - 1].end if edit.right else 0
        return text[:start] + text[word.end :] if start else text[word.end :].lstrip()
    assert edit.left is not None
    deleted = left.words[edit.left]
    space = left.text[left.words[edit.left - 1].end : deleted.start] if edit.left else ""
    previous = next((pair.right for pair in reversed(pairs[:index]) if pair.right is not None), None)
    position = 0 if previous is None else right.words[previous].end
    return text[:position] + space + deleted.text + (text[position:] if position else " " + text)
