"""One text of an evaluation: every method explains it, every metric judges the explanations, and rows are made."""

import hashlib
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError, ModelError
from attnscope.metrics.query import Explanation, LogProbability, ScoresOn
from attnscope.metrics.table import CURVES
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model
from attnscope.models.perturbation.altered_weights import nearby, randomised
from attnscope.models.targets.label_probabilities import all_labels, choices, likeness
from attnscope.models.targets.labels import label_name
from attnscope.results.attribution import Attribution
from attnscope.results.evaluation import YARDSTICK_ORDERS, EvaluationRow
from attnscope.results.sample import Sample
from attnscope.studies.method_choice import MethodChoice, explained
from attnscope.studies.metric_rounds import Rescore, measure
from attnscope.studies.perturbed_text import PerturbedText
from attnscope.text.inputs import Reading
from attnscope.text.words import WordSpan


class TextEvaluator:
    """Evaluates methods on one text after another.

    unusable: the names of methods that do not run on this model, whatever the text.
    """

    def __init__(
        self, model: Model, replacement: str, chat: bool, metrics: Sequence[str], *, curves: bool = True
    ) -> None:
        self.model, self.replacement, self.chat, self.metrics = model, replacement, chat, metrics
        self.curves = tuple(CURVES) if curves else ()
        self.unusable: set[str] = set()
        self._randomised: Model | None = None

    def rows(
        self, number: int, sample: Sample, methods: Sequence[MethodChoice], skipped: dict[str, str] | None
    ) -> Iterator[EvaluationRow]:
        """The rows of one text. Why a method does not run on it goes into `skipped`; if that is None, it is raised."""
        if not methods:
            return
        text = self._perturbed_text(sample)
        human = _human_importance(sample, text.words)
        explanations: dict[str, Explanation] = {}
        seconds: dict[str, float] = {}
        rescore: dict[str, Rescore] = {}
        yardsticks = {method.name for method in methods if method.is_yardstick}
        for method in methods:
            begun = time.perf_counter()
            try:
                result = explained(self.model, sample, method, text, self.chat)
            except InputError as error:
                if skipped is None or method.is_yardstick:
                    raise
                skipped.setdefault(method.name, str(error))
                if isinstance(error, ModelError):
                    self.unusable.add(method.name)
                continue
            seconds[method.name] = time.perf_counter() - begun
            explanations[method.name] = Explanation(_scores(result, text.words), result.signed, human)
            rescore[method.name] = partial(self._rescored, sample, method, text)
        orders = {
            name: _further_orders(name, each, sample) for name, each in explanations.items() if name in yardsticks
        }
        every = explanations | {name: each for of_name in orders.values() for name, each in of_name.items()}
        for name, explanation in every.items():
            rescore.setdefault(name, partial(_same_scores, explanation))
        measured = measure(every, self.metrics, text, rescore, self.curves)
        (log_probability,) = text.answer([LogProbability((frozenset(),))])[0]
        for name, explanation in explanations.items():
            draws = {
                metric: [measured[one, metric] for one in (name, *orders.get(name, ()))] for metric in self.metrics
            }
            curves = {
                curve: [measured[one, f"curve {curve}"] for one in (name, *orders.get(name, ()))]
                for curve in self.curves
            }
            yield EvaluationRow(
                key=sample.key,
                number=number,
                method=name,
                values={metric: _mean(values) for metric, values in draws.items()},
                draws={metric: tuple(map(_finite, values)) for metric, values in draws.items()}
                if name in orders
                else {},
                curves={curve: tuple(np.mean(found, axis=0).tolist()) for curve, found in curves.items()},
                words=tuple(text.choices.encoded.text[word.start : word.end] for word in text.words),
                scores=tuple(explanation.scores.tolist()),
                human=None if human is None else tuple(human.tolist()),
                label=_said(self.model, text),
                gold=None if sample.gold is None else label_name(self.model, sample.gold),
                probability=float(np.exp(log_probability)),
                predicted=text.predicted,
                seconds=round(seconds[name], 4),
            )

    def _perturbed_text(self, sample: Sample) -> PerturbedText:
        (encoded,) = encoded_texts(self.model, [sample.text], Reading(self.chat))
        if sample.similar_to is not None:
            answers = likeness(self.model, encoded, sample.similar_to)
            return PerturbedText(answers, _judged_words(sample, encoded, answers.fixed), 0, self.replacement)
        labels = sample.labels or ((sample.target,) if sample.target is not None else all_labels(self.model))
        answers = choices(self.model, encoded, labels, sample.position)
        words = _judged_words(sample, encoded, answers.fixed)
        (whole,) = answers.without([frozenset()], self.replacement).numpy()  # (label,)
        label = int(whole.argmax()) if sample.target is None else labels.index(sample.target)
        text = PerturbedText(answers, words, label, self.replacement)
        text.known[frozenset()] = whole
        return text

    def _rescored(
        self, sample: Sample, method: MethodChoice, text: PerturbedText, query: ScoresOn
    ) -> NDArray[np.float64]:
        """The method's scores (word,) on the altered model."""
        if query.model == "nearby":
            with nearby(self.model, query.radius, query.seed):
                return _scores(explained(self.model, sample, method, text, self.chat), text.words)
        if self._randomised is None:
            self._randomised = randomised(self.model)
        return _scores(explained(self._randomised, sample, method, text, self.chat), text.words)


def _said(model: Model, text: PerturbedText) -> str:
    """The explained label's name, or the text that this one is compared with."""
    label = text.choices.labels[text.label]
    return str(label) if text.choices.alike else label_name(model, label)


def _further_orders(name: str, first: Explanation, sample: Sample) -> dict[str, Explanation]:
    """Of the yardstick, more random scores of the same words: one order of a few words may do well by luck."""
    seed = int.from_bytes(hashlib.sha256(f"{name} {sample.key}".encode("utf-8", "surrogatepass")).digest()[:8], "big")
    generator = np.random.default_rng(seed)
    return {
        f"{name} {i}": replace(first, scores=generator.random(len(first.scores))) for i in range(1, YARDSTICK_ORDERS)
    }


def _same_scores(explanation: Explanation, _query: ScoresOn) -> NDArray[np.float64]:
    """Random scores know no model."""
    return explanation.scores


def _finite(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _mean(values: Sequence[float]) -> float | None:
    """The mean of those that are defined."""
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else None


def _judged_words(sample: Sample, encoded: Encoded, fixed: frozenset[int]) -> list[WordSpan]:
    start, end = sample.within or (0, len(encoded.text))
    judged = [
        word for word in encoded.words if start <= word.start and word.end <= end and not fixed & set(word.tokens)
    ]
    if len(judged) < 2:
        raise InputError(
            f"the text {encoded.text[:60]!r} has {len(judged)} words to judge an explanation by: give two or more"
        )
    return judged


def _human_importance(sample: Sample, words: Sequence[WordSpan]) -> NDArray[np.float64] | None:
    """The weight of the heaviest marked piece that each word overlaps, (word,); None where nobody was asked."""
    if sample.human is None:
        return None
    return np.array(
        [
            max([weight for start, end, weight in sample.human if start < word.end and word.start < end], default=0.0)
            for word in words
        ]
    )


def _scores(result: Attribution, words: Sequence[WordSpan]) -> NDArray[np.float64]:
    """The scores (word,) of these words, which may be several words of the result that share a token."""
    starts = [word.start for word in result.words]
    scores = []
    for word in words:
        inside = result.words[bisect_left(starts, word.start) : bisect_left(starts, word.end)]
        if not inside or (inside[0].start, inside[-1].end) != (word.start, word.end):
            raise InputError(
                f"{result.method} scores other pieces of the text than its words: evaluate it with unit='word'"
            )
        scores.append(sum(part.score for part in inside))
    return np.array(scores)
