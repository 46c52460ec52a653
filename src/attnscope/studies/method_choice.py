"""The methods that an evaluation runs: the name of each in the rows, and its explanation of a text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attnscope.errors import InputError
from attnscope.methods.calls.advice import without_advice
from attnscope.methods.explain import AnyMethod, explain
from attnscope.methods.given import given_scores
from attnscope.methods.request import requested
from attnscope.methods.table import METHODS, Method, method_of
from attnscope.models.loading.load import Model
from attnscope.results.attribution import Attribution
from attnscope.results.evaluation import YARDSTICK
from attnscope.results.sample import Sample
from attnscope.studies.label_request import label_request
from attnscope.studies.perturbed_text import PerturbedText

# A method by its name or the caller's own function; (method, parameters); or scores made elsewhere, one result a text.
Given = AnyMethod | tuple[AnyMethod, Mapping[str, Any]] | list[Attribution]


@dataclass(frozen=True)
class MethodChoice:
    """A method with the parameters that it is run with, and its name in the rows."""

    name: str
    method: Method
    parameters: Mapping[str, Any]

    @property
    def is_yardstick(self) -> bool:
        """Whether the other methods are compared with this one."""
        return self.method.name == YARDSTICK


def method_choices(methods: Sequence[Given] | None) -> list[MethodChoice]:
    """The methods to run (all of METHODS if None), always with `random` among them. Raises InputError."""
    if isinstance(methods, str) or callable(methods):
        methods = [methods]
    choices = [_method_choice(method) for method in ([*METHODS] if methods is None else methods)]
    if not any(choice.is_yardstick for choice in choices):
        choices.append(_method_choice(YARDSTICK))
    if len({choice.name for choice in choices}) < len(choices):
        raise InputError("a method comes twice with the same parameters: name each once")
    return choices


def _method_choice(given: Given) -> MethodChoice:
    scored_by, parameters = given if isinstance(given, tuple) else (given, {})
    method = given_scores(scored_by) if isinstance(scored_by, list) else method_of(scored_by)
    requested(parameters, method.options, method.shared_options, method.name)
    written = ", ".join(f"{name}={value}" for name, value in parameters.items())
    return MethodChoice(f"{method.name} ({written})" if written else method.name, method, dict(parameters))


def explained(model: Model, sample: Sample, choice: MethodChoice, text: PerturbedText, chat: bool) -> Attribution:
    """The method's result on this text, for the explained label where the method takes one."""
    method, parameters = choice.method, choice.parameters
    given: dict[str, Any] = {"chat": True} if chat else {}
    if not text.choices.alike:
        given |= label_request(model, method, text.choices.labels, text.label, parameters, sample.position)
    elif method.asks != "query":
        given["similar_to"] = text.choices.labels[0]
    if method.asks != "query" and sample.within is not None:
        given["segments"] = {f"word {i}": (word.start, word.end) for i, word in enumerate(text.words)}
    with without_advice():
        result = explain(model, sample.text, method, **(given | dict(parameters)))
    if not isinstance(result, Attribution):
        raise InputError(f"{choice.name} gives several results for one text: evaluate one of them, without per_token")
    return result
