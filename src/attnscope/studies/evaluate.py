"""`ats.evaluate`: which methods are faithful to this model on these texts.

Problems solved here:
- the perturbed versions of a text that all methods and metrics need run together, each once (`text_evaluator`);
- rows are written as they come, and an interrupted run resumes where it stopped (`evaluation_rows`);
- every method in METHODS can be evaluated by its name (`method_choice`).
"""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from attnscope.errors import InputError
from attnscope.methods.build import provenance
from attnscope.metrics.table import METRICS
from attnscope.models.default_settings import default_settings
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.inputs.continuation import continued
from attnscope.models.loading.load import Model, load
from attnscope.models.perturbation.without_tokens import REPLACEMENTS
from attnscope.models.progress import bar
from attnscope.results.evaluation import ALIKE, SHARES, Evaluation, EvaluationRow
from attnscope.results.plain import label_list, plain_numbers
from attnscope.results.sample import Sample
from attnscope.studies.evaluation_rows import resumed_rows
from attnscope.studies.method_choice import Given, MethodChoice, method_choices
from attnscope.studies.text_evaluator import TextEvaluator
from attnscope.text.inputs import Messages, Reading, is_chat

Text = str | Messages | Sample | Mapping[str, Any]


def evaluate(
    model: Model,
    texts: Sequence[Text],
    methods: Sequence[Given] | None = None,
    metrics: Sequence[str] | None = None,
    *,
    replacement: str = "delete",
    target: str | int | None = None,
    labels: Sequence[str | int] = (),
    generate: int | None = None,
    similar_to: str | Sequence[str] | None = None,
    chat: bool = False,
    curves: bool = True,
    rows: str | os.PathLike[str] | None = None,
    way: str | None = None,
) -> Evaluation:
    """How faithful `methods` are to `model` on `texts`, by `metrics`, always compared with `random`.

    texts:    texts, chats as lists of messages, Samples, or mappings with the fields of a Sample.
    methods:  names of METHODS or functions of your own, or (method, parameters); or scores made elsewhere, a list with
              one Attribution for each text. By default all of METHODS that run on this model.
    metrics:  names of METRICS; by default all. Agreement with people is measured only where a sample says what people
              find important.
    replacement: what takes the place of a removed word: "delete" nothing; "mask" or "pad" that token; "neutral" a
              neutral word; "infill" what the model, a masked language model, finds likeliest there, so that the text
              stays one that it knows; "zero" or "mean" that embedding. `way` is its former name.
    target, labels: for samples that have none of their own. A language model needs one of them, or generate: its own
              greedy continuation of this many tokens. With labels and no target, the likeliest label is explained.
    similar_to: of a model that makes one vector of a text: explain the similarity to this text, or one for each text.
              In the metrics (1 + cosine) / 2, from 0 to 1, takes the part of the probability.
    curves:   whether to measure the curves of deletion and insertion too, which take two passes a word for each method:
              on long texts, without the areas under them, most of the time.
    rows:     a JSON-lines file. Rows are added as they come; those of an earlier run with the same settings are kept.

    Raises InputError for an unknown method, metric or replacement and for a sample that cannot be judged, ModelError
    for a method that was named and does not run on this model, DamagedFileError for rows that cannot be read, and what
    methods raise.

    >>> reviews = ["A warm and funny film. It is", "Two hours wasted. It is"]
    >>> done = ats.evaluate(model, reviews, ["deletion"], ["top_drop"], labels=[" good", " bad"], curves=False)
    >>> [(row.method, row.better, round(row.mean, 1)) for row in done.standings("top_drop")]
    [('deletion', 'higher', 0.4), ('random', 'higher', 0.1)]
    """
    if way is not None:
        warnings.warn(f"way= is now called replacement=: write replacement={way!r}", DeprecationWarning, stacklevel=2)
        if replacement not in ("delete", way):
            raise InputError(f"replacement={replacement!r} and way={way!r} are one parameter: give replacement alone")
        replacement = way
    model = load(model)
    target, labels, generate = plain_numbers(target), label_list(labels), plain_numbers(generate)
    if replacement not in REPLACEMENTS:
        raise InputError(
            f"replacement={replacement!r} cannot stand in for a word that is taken away: choose from "
            f"{', '.join(REPLACEMENTS)}"
        )
    samples = [
        _sample(text, number)
        for number, text in enumerate([texts] if isinstance(texts, str) or _is_one_chat(texts) else texts)
    ]
    if not samples:
        raise InputError("the list of texts is empty: give at least one")
    metric_names = _metric_names(metrics)
    samples = [
        one if one.similar_to is not None else _completed(model, one, target, labels, generate, chat)
        for one in _compared(samples, similar_to, target is not None or bool(labels) or generate is not None)
    ]
    alike = {"quantity": ALIKE} if samples[0].similar_to is not None else {}
    settings = {
        **provenance(model),
        **alike,
        "replacement": replacement,
        "chat": chat,
        "shares": list(SHARES) if curves else [],
        "metrics": {name: METRICS[name].facts() for name in metric_names},
    }
    choices = method_choices(methods)
    evaluator = TextEvaluator(model, replacement, chat, metric_names, curves=curves)
    with resumed_rows(rows, settings) as (earlier, add_row):
        return _evaluated(evaluator, samples, choices, earlier, add_row, skip_unusable=methods is None)


@default_settings()
def _evaluated(
    evaluator: TextEvaluator,
    samples: Sequence[Sample],
    methods: Sequence[MethodChoice],
    earlier: Evaluation,
    add_row: Callable[[EvaluationRow], None],
    *,
    skip_unusable: bool,
) -> Evaluation:
    earlier_rows = {(row.key, row.method): row for row in earlier.rows}
    rows: dict[tuple[str, str], EvaluationRow] = {}
    skipped: dict[str, str] = {}
    with bar("evaluating", len(samples) * len(methods)) as step:
        for number, sample in enumerate(samples):
            to_run = []
            for method in methods:
                row = earlier_rows.get((sample.key, method.name))
                if (sample.key, method.name) in rows:  # a text that comes twice counts once
                    continue
                if row is not None:
                    rows[sample.key, method.name] = replace(row, number=number)
                elif method.name not in evaluator.unusable:
                    to_run.append(method)
            step(len(methods) - len(to_run))
            for row in evaluator.rows(number, sample, to_run, skipped if skip_unusable else None):
                add_row(row)
                rows[sample.key, row.method] = row
            step(len(to_run))
    settings = {**earlier.settings, **({"skipped": skipped} if skipped else {})}
    return Evaluation(settings, tuple(rows.values()))


def _is_one_chat(texts: object) -> bool:
    """Whether these are the messages of one chat, and not samples as mappings."""
    return is_chat(texts) and all("role" in message for message in texts)  # type: ignore[attr-defined]


def _sample(text: Any, number: int) -> Sample:
    return text if isinstance(text, Sample) else Sample.of(text, f"text {number}")


@default_settings()
def _completed(
    model: Model,
    sample: Sample,
    target: str | int | None,
    labels: Sequence[str | int],
    generate: int | None,
    chat: bool,
) -> Sample:
    """The sample, with the target or labels given for all samples if it has none of its own. Raises InputError."""
    if sample.target is None and not sample.labels:
        if generate is not None:
            (encoded,) = encoded_texts(model, [sample.text], Reading(chat))
            target = continued(model, encoded, generate=generate).text
        sample = replace(sample, target=target, labels=tuple(labels))
    if sample.target is not None and sample.labels and sample.target not in sample.labels:
        raise InputError(
            f"the target {sample.target!r} is none of the labels {list(sample.labels)!r}: give one of them"
        )
    # The text of a chat is what its template leaves of it: words outside of it are found where they are judged.
    if (
        isinstance(sample.text, str)
        and sample.within is not None
        and not 0 <= sample.within[0] < sample.within[1] <= len(sample.text)
    ):
        raise InputError(
            f"within={sample.within}: give the start and end of a piece of the text's {len(sample.text)} characters"
        )
    return sample


def _compared(samples: Sequence[Sample], similar_to: str | Sequence[str] | None, other_target: bool) -> list[Sample]:
    """The samples with the texts that they are compared with. Raises InputError where that is not said of each."""
    if similar_to is not None:
        others = [similar_to] * len(samples) if isinstance(similar_to, str) else list(similar_to)
        if len(others) != len(samples):
            raise InputError(
                f"there are {len(samples)} texts and {len(others)} in similar_to: give one, or one for each"
            )
        samples = [replace(one, similar_to=one.similar_to or other) for one, other in zip(samples, others, strict=True)]
    known = [one for one in samples if one.similar_to is not None]
    if known and len(known) < len(samples):
        raise InputError(f"similar_to is known of {len(known)} of {len(samples)} texts: give it for all or for none")
    if known and (other_target or any(one.target is not None or one.labels for one in known)):
        raise InputError("similar_to is what is explained, and a target or labels were given: give one of them")
    return list(samples)


def _metric_names(metrics: Sequence[str] | None) -> list[str]:
    metrics = [metrics] if isinstance(metrics, str) else metrics
    names = list(METRICS) if metrics is None else list(dict.fromkeys(metrics))
    if unknown := [name for name in names if name not in METRICS]:
        near = get_close_matches(unknown[0], METRICS, n=1)
        raise InputError(
            f"there is no metric {unknown[0]!r}; choose from {', '.join(METRICS)}"
            + (f" (meant {near[0]!r}?)" if near else "")
        )
    if not names:
        raise InputError(f"the list of metrics is empty: choose from {', '.join(METRICS)}")
    return names
