"""ats.evaluate: which method is faithful, for this model and these texts.

Problems solved here:
- all perturbed texts of all methods and metrics about one text are asked for together, each once;
- rows are written as they come, and a broken run goes on where it stopped;
- whatever METHODS holds is evaluated by its name; what a method takes is read off its own signature.
"""

import json
import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError, ModelError
from attnscope.methods import METHODS, check_method, explain, parameters_of
from attnscope.methods.build import provenance
from attnscope.metrics import METRICS
from attnscope.metrics.curves import CURVES
from attnscope.metrics.question import Again, Case, Question, Without
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.inputs.continuation import continued
from attnscope.models.loading.load import Model, load
from attnscope.models.perturbation.altered_weights import nearby, randomised
from attnscope.models.perturbation.without_tokens import WAYS
from attnscope.models.progress import bar
from attnscope.models.targets.label_probabilities import all_labels, choices
from attnscope.results.attribution import Attribution
from attnscope.results.evaluation import SHARES, YARDSTICK, Evaluation, EvaluationRow, Sample, head
from attnscope.studies.label_request import asked_for_label, scores_units
from attnscope.studies.probe import Probe
from attnscope.text.words import WordSpan

Text = str | Sample | Mapping[str, Any]
Method = str | tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class _Chosen:
    """A method with parameters of its own, and the name that it goes by."""

    name: str
    method: str
    parameters: Mapping[str, Any]


def evaluate(
    model: Model,
    texts: Sequence[Text],
    methods: Sequence[Method] | None = None,
    metrics: Sequence[str] | None = None,
    *,
    way: str = "delete",
    target: str | int | None = None,
    labels: Sequence[str | int] = (),
    generate: int | None = None,
    chat: bool = False,
    rows: str | os.PathLike[str] | None = None,
) -> Evaluation:
    """How faithful `methods` are to `model` on `texts`, by `metrics`, always beside `random`.

    texts:    texts, Samples, or mappings of a Sample's names.
    methods:  names of METHODS, or (name, parameters); by default all that run on this model.
    metrics:  names of METRICS; by default all. What people find important is asked only where a sample says it.
    way:      how words are taken away: "delete"; "mask" or "pad" token; a "neutral" word; "zero" or "mean" embedding.
    target, labels: for samples that name none of their own. A language model needs one of them, or generate: its own
              greedy continuation of so many tokens. With labels and no target the likeliest label is explained.
    rows:     a JSON-lines file. Rows are added as they come; those of an earlier run with the same settings stay.

    Raises InputError for a method, metric, way or sample that there is not, ModelError for a method that was named and
    does not run on this model, DamagedFileError for rows that cannot be read, and what methods raise.

    >>> evaluate(load(), reviews, ["gradient", "deletion"], labels=[" positive", " negative"])  # doctest: +SKIP
    """
    model = load(model)
    if way not in WAYS:
        raise InputError(f"way={way!r} is no way to take words away: choose from {', '.join(WAYS)}")
    samples = [
        _completed(
            model, one if isinstance(one, Sample) else Sample.of(one, f"text {i}"), target, labels, generate, chat
        )
        for i, one in enumerate([texts] if isinstance(texts, str) else texts)
    ]
    if not samples:
        raise InputError("the list of texts is empty: give at least one")
    named = _metrics(metrics)
    chosen = [_chosen(one) for one in ([*METHODS] if methods is None else methods)]
    if all(one.method != YARDSTICK for one in chosen):
        chosen.append(_Chosen(YARDSTICK, YARDSTICK, {}))
    if len({one.name for one in chosen}) < len(chosen):
        raise InputError("a method comes twice with the same parameters: name each once")
    settings = {
        **provenance(model),
        "way": way,
        "chat": chat,
        "shares": list(SHARES),
        "metrics": {
            name: {"better": m.better, "asks": m.asks, "value": m.value, "paper": m.paper}
            for name, m in ((name, METRICS[name]) for name in named)
        },
    }
    work = _Work(model, way, chat, named)
    with _opened(rows, settings) as (done, line):
        return _run(work, samples, chosen, done, line, optional=methods is None)


def _run(
    work: "_Work",
    samples: Sequence[Sample],
    chosen: Sequence[_Chosen],
    done: Evaluation,
    line: Callable[[str], None],
    *,
    optional: bool,
) -> Evaluation:
    have = {(row.key, row.method): row for row in done.rows}
    found: dict[tuple[str, str], EvaluationRow] = {}
    skipped: dict[str, str] = {}
    with bar("evaluating", len(samples) * len(chosen)) as step:
        for number, sample in enumerate(samples):
            for one in chosen:
                if (sample.key, one.name) in have:
                    found[sample.key, one.name] = replace(have[sample.key, one.name], number=number)
            missing = [one for one in chosen if (sample.key, one.name) not in have and one.name not in work.never]
            step(len(chosen) - len(missing))
            for row in work.rows(number, sample, missing, skipped if optional else None):
                line(row.to_json())
                found[sample.key, row.method] = row
            step(len(missing))
    settings = {**done.settings, **({"skipped": skipped} if skipped else {})}
    return Evaluation(settings, tuple(found.values()))


class _Work:
    """What stays the same from text to text."""

    def __init__(self, model: Model, way: str, chat: bool, metrics: Sequence[str]) -> None:
        self.model, self.way, self.chat, self.metrics = model, way, chat, metrics
        self.shuffled: Model | None = None
        # Methods that do not run on this model, whatever the text.
        self.never: set[str] = set()

    def rows(
        self, number: int, sample: Sample, chosen: Sequence[_Chosen], skipped: dict[str, str] | None
    ) -> Iterator[EvaluationRow]:
        """The rows of one text. Why a method does not run on it goes to `skipped`; without one that is an error."""
        if not chosen:
            return
        (encoded,) = encoded_texts(self.model, [sample.text], chat=self.chat)
        labels = sample.labels or ((sample.target,) if sample.target is not None else all_labels(self.model))
        asked = choices(self.model, encoded, labels, sample.position)
        words = _judged(sample, asked.encoded.words, asked.fixed)
        (whole,) = asked.without([frozenset()], self.way).numpy()
        likeliest = int(whole.argmax())
        probe = Probe(asked, words, likeliest if sample.target is None else labels.index(sample.target), self.way)
        probe.known[frozenset()] = whole
        cases: dict[str, Case] = {}
        seconds: dict[str, float] = {}
        again: dict[str, Callable[[Again], NDArray[np.float64]]] = {}
        human = _human(sample, words)
        for one in chosen:
            begun = time.perf_counter()
            try:
                result = self.explained(self.model, sample, one, probe)
            except InputError as error:
                if skipped is None or one.method == YARDSTICK:
                    raise
                skipped.setdefault(one.name, str(error))
                if isinstance(error, ModelError):
                    self.never.add(one.name)
                continue
            seconds[one.name] = time.perf_counter() - begun
            cases[one.name] = Case(_scores(result, words), result.signed, human)
            again[one.name] = partial(self._again, sample, one, probe)
        measured = answered(cases, self.metrics, probe, again)
        (probability,) = np.exp(probe.answer([Without((frozenset(),))])[0])
        for name, case in cases.items():
            values = {metric: measured[name, metric] for metric in self.metrics}
            yield EvaluationRow(
                key=sample.key,
                number=number,
                method=name,
                values={metric: None if np.isnan(v) else float(v) for metric, v in values.items()},
                curves={curve: tuple(measured[name, f"curve {curve}"].tolist()) for curve in CURVES},
                words=tuple(asked.encoded.text[w.start : w.end] for w in words),
                scores=tuple(case.scores.tolist()),
                human=None if human is None else tuple(human.tolist()),
                label=_label_name(self.model, labels[probe.label]),
                gold=None if sample.gold is None else _label_name(self.model, sample.gold),
                probability=float(probability),
                predicted=probe.label == likeliest,
                seconds=round(seconds[name], 4),
            )

    def explained(self, model: Model, sample: Sample, one: _Chosen, probe: Probe) -> Attribution:
        """The method's result on this text, asked for the label as far as the method takes one."""
        takes = parameters_of(one.method)
        given: dict[str, Any] = {"chat": self.chat} if self.chat and "chat" in takes else {}
        labels = probe.choices.labels
        given |= asked_for_label(model, one.method, labels, probe.label, one.parameters, sample.position)
        if scores_units(one.method) and sample.within is not None:
            given["segments"] = {f"word {i}": (word.start, word.end) for i, word in enumerate(probe.words)}
        result = explain(model, sample.text, one.method, **(given | dict(one.parameters)))
        if not isinstance(result, Attribution):
            raise InputError(f"{one.name} gives several results for one text: evaluate one of them, without per_token")
        return result

    def _again(self, sample: Sample, one: _Chosen, probe: Probe, question: Again) -> NDArray[np.float64]:
        if question.model == "nearby":
            with nearby(self.model, question.radius, question.seed):
                return _scores(self.explained(self.model, sample, one, probe), probe.words)
        if self.shuffled is None:
            self.shuffled = randomised(self.model)
        return _scores(self.explained(self.shuffled, sample, one, probe), probe.words)


def answered(
    cases: Mapping[str, Case],
    metrics: Sequence[str],
    probe: Probe,
    again: Mapping[str, Callable[[Again], NDArray[np.float64]]],
) -> dict[tuple[str, str], Any]:
    """The value of each metric, and each curve as "curve NAME", of each case; what is asked goes round by round."""
    found: dict[tuple[str, str], Any] = {}
    running: list[tuple[tuple[str, str], Generator[Question, NDArray[np.float64], Any], Question]] = []

    def go_on(
        key: tuple[str, str],
        one: Generator[Question, NDArray[np.float64], Any],
        answer: NDArray[np.float64] | None,
    ) -> None:
        try:
            # The first question of a generator is asked by sending nothing.
            waiting.append((key, one, one.send(answer)))  # type: ignore[arg-type]
        except StopIteration as end:
            found[key] = end.value

    waiting = running
    for name, case in cases.items():
        asking = {metric: METRICS[metric].run(case) for metric in metrics}
        asking |= {f"curve {curve}": run(case) for curve, run in CURVES.items()}  # type: ignore[misc]
        for what, one in asking.items():
            if isinstance(one, Generator):
                go_on((name, what), one, None)
            else:
                found[name, what] = one
    while waiting:
        running, waiting = waiting, []
        answers = iter(probe.answer([q for _, _, q in running if not isinstance(q, Again)]))
        for key, one, question in running:
            go_on(key, one, again[key[0]](question) if isinstance(question, Again) else next(answers))
    return found


def _completed(
    model: Model,
    sample: Sample,
    target: str | int | None,
    labels: Sequence[str | int],
    generate: int | None,
    chat: bool,
) -> Sample:
    """The sample with what was asked for all of them."""
    if sample.target is None and not sample.labels:
        if generate is not None:
            (encoded,) = encoded_texts(model, [sample.text], chat=chat)
            target = continued(model, encoded, generate=generate).text
        sample = replace(sample, target=target, labels=tuple(labels))
    if sample.target is not None and sample.labels and sample.target not in sample.labels:
        raise InputError(
            f"the target {sample.target!r} is none of the labels {list(sample.labels)!r}: give one of them"
        )
    if sample.within is not None and not 0 <= sample.within[0] < sample.within[1] <= len(sample.text):
        raise InputError(
            f"within={sample.within}: give the start and end of a piece of the text's {len(sample.text)} characters"
        )
    return sample


def _judged(sample: Sample, words: Sequence[WordSpan], fixed: frozenset[int]) -> list[WordSpan]:
    start, end = sample.within or (0, len(sample.text))
    found = [w for w in words if start <= w.start and w.end <= end and not fixed & set(w.tokens)]
    if len(found) < 2:
        raise InputError(
            f"the text {sample.text[:60]!r} has {len(found)} words to judge an explanation by: give two or more"
        )
    return found


def _human(sample: Sample, words: Sequence[WordSpan]) -> NDArray[np.float64] | None:
    if sample.human is None:
        return None
    return np.array(
        [max([w for s, e, w in sample.human if s < word.end and word.start < e], default=0.0) for word in words]
    )


def _scores(result: Attribution, words: Sequence[WordSpan]) -> NDArray[np.float64]:
    by_span = {(word.start, word.end): word.score for word in result.words}
    missing = [w for w in words if (w.start, w.end) not in by_span]
    if missing:
        raise InputError(
            f"{result.method} scores other pieces of the text than its words: evaluate it with unit='word'"
        )
    return np.array([by_span[w.start, w.end] for w in words])


def _label_name(model: Model, label: str | int) -> str:
    names = getattr(model.model.config, "id2label", None) or {}
    return str(names.get(label, label)) if isinstance(label, int) else label


def _metrics(metrics: Sequence[str] | None) -> list[str]:
    named = list(METRICS) if metrics is None else list(dict.fromkeys(metrics))
    if unknown := [name for name in named if name not in METRICS]:
        near = get_close_matches(unknown[0], METRICS, n=1)
        raise InputError(
            f"there is no metric {unknown[0]!r}; choose from {', '.join(METRICS)}"
            + (f" (meant {near[0]!r}?)" if near else "")
        )
    if not named:
        raise InputError(f"the list of metrics is empty: choose from {', '.join(METRICS)}")
    return named


def _chosen(given: Method) -> _Chosen:
    method, parameters = (given, {}) if isinstance(given, str) else (given[0], dict(given[1]))
    check_method(method, parameters)
    shown = ", ".join(f"{name}={value}" for name, value in parameters.items())
    return _Chosen(f"{method} ({shown})" if shown else method, method, parameters)


@contextmanager
def _opened(
    rows: str | os.PathLike[str] | None, settings: Mapping[str, Any]
) -> Iterator[tuple[Evaluation, Callable[[str], None]]]:
    """The rows of an earlier run, and what writes further ones. Raises InputError if that run measured otherwise."""
    if rows is None:
        yield Evaluation(settings), lambda _line: None
        return
    path = Path(rows)
    done = Evaluation(settings)
    if path.exists() and path.stat().st_size:
        done = Evaluation.load(path)
        kept = json.loads(head(settings))["settings"]
        differs = [name for name in {**kept, **done.settings} if kept.get(name) != done.settings.get(name)]
        if differs:
            raise InputError(
                f"{path} holds rows of another evaluation: its {differs[0]} is {done.settings.get(differs[0])!r}, now "
                f"{kept.get(differs[0])!r}; name another file"
            )
    # Written anew: the last line of a broken run may be half a line.
    done.save(path)
    with path.open("a", encoding="utf-8", errors="backslashreplace") as file:

        def line(text: str) -> None:
            file.write(text + "\n")
            file.flush()

        yield done, line
