"""The methods that an evaluation runs: the name each goes by, and its explanation of one text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attnscope.errors import InputError
from attnscope.methods import METHODS, check_method, explain, parameters_of
from attnscope.models.loading.load import Model
from attnscope.results.attribution import Attribution
from attnscope.results.evaluation import YARDSTICK, Sample
from attnscope.studies.label_request import asked_for_label, scores_units
from attnscope.studies.perturbed_text import PerturbedText

Method = str | tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class MethodChoice:
    """A method with the parameters that it is run with, and the name that it goes by."""

    name: str
    method: str
    parameters: Mapping[str, Any]


def method_choices(methods: Sequence[Method] | None) -> list[MethodChoice]:
    """The methods to run, all of METHODS if None, and random scores beside them. Raises InputError."""
    choices = [_method_choice(method) for method in ([*METHODS] if methods is None else methods)]
    if all(choice.method != YARDSTICK for choice in choices):
        choices.append(MethodChoice(YARDSTICK, YARDSTICK, {}))
    if len({choice.name for choice in choices}) < len(choices):
        raise InputError("a method comes twice with the same parameters: name each once")
    return choices


def _method_choice(given: Method) -> MethodChoice:
    method, parameters = (given, {}) if isinstance(given, str) else (given[0], dict(given[1]))
    check_method(method, parameters)
    written = ", ".join(f"{name}={value}" for name, value in parameters.items())
    return MethodChoice(f"{method} ({written})" if written else method, method, parameters)


def explained(model: Model, sample: Sample, one: MethodChoice, probe: PerturbedText, chat: bool) -> Attribution:
    """The method's result on this text, asked for the label as far as the method takes one."""
    takes = parameters_of(one.method)
    given: dict[str, Any] = {"chat": chat} if chat and "chat" in takes else {}
    labels = probe.choices.labels
    given |= asked_for_label(model, one.method, labels, probe.label, one.parameters, sample.position)
    if scores_units(one.method) and sample.within is not None:
        given["segments"] = {f"word {i}": (word.start, word.end) for i, word in enumerate(probe.words)}
    result = explain(model, sample.text, one.method, **(given | dict(one.parameters)))
    if not isinstance(result, Attribution):
        raise InputError(f"{one.name} gives several results for one text: evaluate one of them, without per_token")
    return result
