"""What is asked of every text of a corpus, checked before the first one runs, and told apart from other requests."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from attnscope.errors import InputError
from attnscope.methods.build import provenance
from attnscope.methods.explain import AnyMethod
from attnscope.methods.request import requested
from attnscope.methods.table import Method, method_of
from attnscope.models.architecture import task_of
from attnscope.models.loading.load import Model
from attnscope.models.targets.label_probabilities import all_labels
from attnscope.models.targets.labels import is_regression, label_of
from attnscope.results.plain import label_list, plain_numbers
from attnscope.studies.survey.rows import Columns

# One method with parameters of its own: ("integrated_gradients", {"steps": 40}).
Chosen = AnyMethod | tuple[AnyMethod, Mapping[str, Any]]
# Of the tables of a folder: words have had a segment since 3.
SCHEMA = 3
_ONE_SCORE = "a survey has one score a word, so leave it out, or explain such texts in a list"


@dataclass(frozen=True)
class Ask:
    """The settings of a survey.

    methods:  each method and its parameters, those of all methods included.
    labels:   the answers to predict among; None: a classifier's own.
    template: a text around each text, with {text} in it; its own words are not scored.
    columns, part_texts: how the data is read and cut.
    heads:    whether head profiles are made too.
    """

    methods: tuple[tuple[Method, dict[str, Any]], ...]
    labels: tuple[str | int, ...] = ()
    template: str | None = None
    columns: Columns = field(default_factory=Columns)
    part_texts: int = 256
    heads: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """All of it as survey.json has it."""
        return {
            "methods": [[method.name, _written(parameters)] for method, parameters in self.methods],
            "labels": list(self.labels),
            "template": self.template,
            "columns": json.loads(json.dumps(asdict(self.columns))),
            "part_texts": self.part_texts,
            "heads": self.heads,
        }


def ask_of(
    model: Model,
    methods: Chosen | Sequence[Chosen],
    parameters: Mapping[str, Any],
    *,
    labels: Sequence[str | int],
    template: str | None,
    columns: Columns,
    part_texts: int,
    heads: bool,
) -> Ask:
    """The request, checked against model and methods. Raises InputError and ModelError."""
    pair = isinstance(methods, tuple) and len(methods) == 2 and isinstance(methods[1], Mapping)
    chosen: list[Any] = list(methods) if isinstance(methods, list | tuple) and not pair else [methods]
    if not chosen:
        raise InputError("method=[]: name one method or more, such as 'gradient'")
    found = []
    for one in chosen:
        name, own = one if isinstance(one, tuple) else (one, {})
        method = method_of(name)
        given = {**parameters, **own}
        _check(method, given)
        found.append((method, given))
    names = [method.name for method, _ in found]
    if len(set(names)) < len(names):
        raise InputError(f"the methods {', '.join(names)} are not told apart by their names: take each once")
    if template is not None and template.count("{text}") != 1:
        raise InputError(f"template={template!r}: write {{text}} once, where each text goes")
    if isinstance(part_texts, bool) or not isinstance(part_texts, int) or part_texts < 1:
        raise InputError(f"part_texts={part_texts!r}: expected a whole number from 1 on")
    return Ask(tuple(found), _labels(model, labels), template, columns, part_texts, heads)


def _check(method: Method, given: Mapping[str, Any]) -> None:
    """Raises InputError for parameters that the method does not take, or that do not go with a survey."""
    for name in ("per_token", "on_error"):
        if given.get(name):
            raise InputError(f"{name}={given[name]!r}: {_ONE_SCORE}")
    for name in ("query", "target", "against"):
        if isinstance(given.get(name), list):
            raise InputError(f"{name} is a list: {_ONE_SCORE}; a target for each text is a column of the data")
    requested(given, method.options, method.shared_options, method.name)


def _labels(model: Model, labels: Sequence[str | int]) -> tuple[str | int, ...]:
    task = task_of(model.model)
    given = label_list(labels)
    if len(set(given)) < len(given):
        raise InputError(f"labels={list(given)!r}: give each once")
    if task == "classifier" and not is_regression(model.model):
        return tuple(label_of(model, label) for label in given) or all_labels(model)
    if given and task not in ("causal", "encoder-decoder", "masked"):
        raise InputError(f"{type(model.model).__name__} predicts no labels of a whole text: leave labels out")
    return given


def about_of(model: Model, ask: Ask) -> dict[str, Any]:
    """survey.json: what was asked, and of which weights, by which versions."""
    made = {**provenance(model), "weights": _fingerprint(model)}
    return {"schema": SCHEMA, "type": "survey", "settings": ask.settings, "provenance": made}


def differences(there: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In what two requests differ, in words."""
    found = []
    if there.get("schema") != now["schema"]:
        found.append(f"its tables are of schema {there.get('schema')} and those of this version of {now['schema']}")
    for part in ("settings", "provenance"):
        old, new = there.get(part, {}), now[part]
        for name in dict.fromkeys([*new, *old]):
            if old.get(name) != new.get(name):
                found.append(f"{name} is {_short(old.get(name))} there and {_short(new.get(name))} now")
    return found


def _short(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= 80 else f"{written[:76]}…"


def _written(parameters: Mapping[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(json.dumps(plain_numbers(parameters), default=repr, sort_keys=True))
    return written


def _fingerprint(model: Model) -> str:
    """A hash of the weights, every number of them: a model with one head cut out is another one."""
    content = hashlib.sha256()
    for name, weight in sorted([*model.model.named_parameters(), *model.model.named_buffers()]):
        content.update(f"{name} {tuple(weight.shape)} {weight.dtype}\n".encode())
        if weight.numel() and not weight.is_meta:
            whole = weight.detach().to("cpu").contiguous().reshape(-1)
            content.update(whole.view(torch.uint8).numpy().data)
    return content.hexdigest()[:16]
