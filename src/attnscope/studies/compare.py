"""`ats.compare`: the same explanation of two texts, or by two models, word opposite word."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from attnscope.errors import AttnscopeError, InputError
from attnscope.methods.calls.advice import without_advice
from attnscope.methods.explain import AnyMethod, explain
from attnscope.methods.gradient.gradient import gradient
from attnscope.methods.table import method_of
from attnscope.models.architecture import task_of
from attnscope.models.default_settings import default_settings
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.inputs.prompt import edited
from attnscope.models.loading.load import Model, load
from attnscope.models.targets.label_probabilities import all_labels, choices, probabilities
from attnscope.models.targets.labels import is_regression, label_name
from attnscope.results.attribution import Attribution
from attnscope.results.comparison import ComparedSide, Comparison, opposites, paired_words
from attnscope.results.plain import label_list, plain_numbers
from attnscope.studies.label_request import label_request
from attnscope.text.alignment import Opposite
from attnscope.text.inputs import Input, Message, Messages, Reading, checked
from attnscope.text.visible import model_name

_log = logging.getLogger(__name__)


def compare(
    model: Model,
    clean: str | Messages,
    adversarial: str | Messages | None = None,
    sample: str | None = None,
    labels: Sequence[str | int] = (),
    method: AnyMethod = gradient.__name__,
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

    clean, adversarial: the two texts, or chats as lists of messages; with `other`, adversarial may be left out: one
                text under two models.
    sample:     the text that the prompts are about, put after each of them with a space between; in a chat after the
                last user's message.
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

    >>> clean = "Tell me whether this review is positive or negative:"
    >>> attacked = "Tel me wether this reviiew is positve or very negative:"
    >>> labels = [" positive", " negative"]
    >>> pair = ats.compare(model, clean, attacked, sample="The film was wonderful. Answer:", labels=labels)
    >>> pair.left.prediction, pair.right.prediction, pair.flipped
    (' positive', ' negative', True)
    """
    model = load(model)
    labels, expected, target = label_list(labels), plain_numbers(expected), plain_numbers(target)
    models = (model, model if other is None else load(other))
    if adversarial is None and other is None:
        raise InputError("there is one text and one model: give adversarial, or another model as other=")
    prompts = (clean, clean if adversarial is None else adversarial)
    texts = tuple(_with_sample(prompt, sample) for prompt in prompts)
    read = {name: parameters[name] for name in ("tools", "chat_template_kwargs", "truncate") if name in parameters}
    reading = Reading(chat, **read)
    if names is None:
        names = ("clean", "adversarial") if other is None else _names_of(models)
    labels_of_sides = [_labels(side_model, labels) for side_model in models]
    probabilities_of_sides = [
        _probabilities(side_model, [reading.one(text)], side_labels, reading)[0]
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
        with without_advice():
            result = explain(side_model, text, row, **(given | parameters))
        if not isinstance(result, Attribution):
            raise InputError("a comparison takes one result a side: leave out per_token, or compare result[0]s")
        label_names = [label_name(side_model, label) for label in side_labels]
        sides.append(ComparedSide(name, result, tuple(zip(label_names, of_labels, strict=True))))
    left, right = sides
    restores: dict[int, float] = {}
    if labels_of_sides[1] and texts[0] != texts[1] and labels_of_sides[0] == labels_of_sides[1]:
        restores = _restored(models[1], left, right, labels_of_sides[1], reading.one(texts[1]), reading)
    expected_name = None if expected is None else label_name(model, expected)
    return Comparison(left, right, paired_words(left, right, restores), expected_name, dict(tags or {}))


def _names_of(models: tuple[Model, Model]) -> tuple[str, str]:
    """What the sides of two models are called: folders by their own names, which may be the same."""
    left, right = (model_name(model.name) for model in models)
    return left, f"{right} (other)" if left == right else right


def _with_sample(prompt: str | Messages, sample: str | None) -> str | Messages:
    if sample is None:
        return prompt
    if not isinstance(prompt, str):
        return _with_sample_in_chat(checked(prompt), sample)
    return prompt + sample if prompt[-1:].isspace() or sample[:1].isspace() else f"{prompt} {sample}"


def _with_sample_in_chat(messages: Sequence[Message], sample: str) -> Messages:
    """The chat with the sample after its last user's message. Raises InputError where that is no text."""
    places = [i for i, message in enumerate(messages) if message["role"] == "user"]
    if not places or not isinstance(messages[places[-1]]["content"], str):
        raise InputError("sample goes after a user's message that is a text, and the chat has none: write it there")
    last = messages[places[-1]]
    asked = {**last, "content": _with_sample(last["content"], sample)}
    return [*messages[: places[-1]], asked, *messages[places[-1] + 1 :]]


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
def _probabilities(
    model: Model, inputs: Sequence[Input], labels: Sequence[str | int], reading: Reading
) -> list[list[float]]:
    """The probability of each label on each text or chat."""
    if not labels:
        return [[] for _ in inputs]
    answers = [choices(model, encoded, labels) for encoded in encoded_texts(model, inputs, reading)]
    rows: list[list[float]] = probabilities(answers).tolist()
    return rows


def _restored(
    model: Model, left: ComparedSide, right: ComparedSide, labels: Sequence[str | int], given: Input, reading: Reading
) -> dict[int, float]:
    """How far undoing an edit alone restores the left side's prediction, by the edit's index among the pairs."""
    pairs = opposites(left.result, right.result)
    prompt = encoded_texts(model, [given], reading)[0].chat
    undone: dict[int, Input] = {}
    for index, pair in enumerate(pairs):
        if pair.kind != "same":
            edit = undone_edit(left.result, right.result, pairs, index)
            changed = applied(right.result.text, edit) if prompt is None else edited(prompt, *edit)
            if changed is not None and (not isinstance(changed, str) or changed.strip()):
                undone[index] = changed
    label = int(np.argmax([probability for _, probability in left.probabilities]))
    before = right.probabilities[label][1]
    try:
        after = _probabilities(model, list(undone.values()), labels, reading) if undone else []
    except AttnscopeError as error:
        _log.warning("the edits were not undone one by one: %s", error)
        return {}
    return {index: shares[label] - before for index, shares in zip(undone, after, strict=True)}


Edit = tuple[int, int, str]


def applied(text: str, edit: Edit) -> str:
    """The text with its characters (start, end) replaced."""
    start, end, new = edit
    return text[:start] + new + text[end:]


def undone_edit(left: Attribution, right: Attribution, pairs: Sequence[Opposite], index: int) -> Edit:
    """What undoes one edit in the right text; the spaces around a restored word are those of the left text."""
    edit = pairs[index]
    text = right.text
    if edit.right is not None:
        word = right.words[edit.right]
        if edit.left is not None:
            return word.start, word.end, left.words[edit.left].text
        # An inserted word is removed with the space before it.
        if start := right.words[edit.right - 1].end if edit.right else 0:
            return start, word.end, ""
        return 0, len(text) - len(text[word.end :].lstrip()), ""
    assert edit.left is not None
    deleted = left.words[edit.left]
    space = left.text[left.words[edit.left - 1].end : deleted.start] if edit.left else ""
    previous = next((pair.right for pair in reversed(pairs[:index]) if pair.right is not None), None)
    position = 0 if previous is None else right.words[previous].end
    return position, position, space + deleted.text + ("" if position else " ")
