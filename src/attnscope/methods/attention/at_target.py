"""Attention's own methods asked like the importance methods: for a target, over units, on the same words.

Attention has no target, but a query. Here the query is the position that predicts: of a continuation the token before
each of its tokens, of a masked word the mask, of a token's label the token; of an encoder–decoder the decoder's
position, which looks at the text by cross-attention. Where a target has several tokens, the rows are averaged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.methods.request import Asking, Question, Result, answers, questions
from attnscope.models.architecture import is_encoder_decoder, task_of
from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.load import Model
from attnscope.models.targets.readout import values
from attnscope.results.attribution import Attribution
from attnscope.results.base import Asked
from attnscope.text.words import TokenSpan

Run = Callable[..., Any]
# Of these parameters each says that the importance methods' way of asking is meant.
_TELLING = ("unit", "segments", "within", "per_token", "position", "quantity", "against", "target", "generate")


def is_meant(method: str, parameters: Mapping[str, Any]) -> bool:
    """Whether a request to an attention method is one for a target or for units."""
    given = {name for name in _TELLING if parameters.get(name) not in (None, False)}
    if method == "attention_gradient" and "query" not in parameters:
        return "per_token" in given  # every other target it answers by itself
    if "query" in parameters or "kind" in parameters:
        # With a query, a target is a text to go on with, or attention_gradient's next token.
        given -= {"target", "generate", "against", "quantity"}
    return bool(given)


def at_target(
    model: Model, text: str | Sequence[str], method: str, run: Run, parameters: Mapping[str, Any]
) -> Result | list[Result]:
    """The scores of an attention method by unit, from the positions that predict the target.

    Without a target the query is the one given, or the method's own. What the target's own tokens got of it, where
    they are not scored, is `to_target`; the value of the target is that of every other method.

    Raises InputError for a contrast, which a share of attention has not, and for a label of a whole text, which is read
    off no token; what `questions` and the method raise.
    """
    own = dict(parameters)
    asking: Any = {name: own.pop(name) for name in Asking.__annotations__ if name in own}
    targeted = any(asking.get(name) is not None for name in ("target", "generate", "position", "quantity"))
    if targeted and "query" in own:
        raise InputError("both a query and a target were given: of a target the query is the position that predicts it")
    if asking.get("against") is not None:
        raise InputError(f"{method} is a share of attention and has no contrast: leave against out")
    results = []
    for question in questions(model, text, asking, method):
        if targeted:
            results.append(_targeted(question, method, run, own, asking))
        else:
            found = run(question.model, [question.objective.encoded], **own)[0]
            if not isinstance(found, Attribution):
                raise InputError("units are scored for one query at a time: give one query instead of a list")
            results.append(_answer(question, method, [found]))
    return answers(text, results)


def _targeted(question: Question, method: str, run: Run, own: Mapping[str, Any], asking: Mapping[str, Any]) -> Result:
    net = question.model.model
    if task_of(net) == "classifier":
        raise InputError(
            f"{method} has no query for a label of the whole text, which {type(net).__name__} reads off no single "
            "token: give query, such as query=0, and no target"
        )
    (reading,) = question.objective.readings
    if reading.highest:
        raise InputError(f"{method} needs the token whose label is meant: give position too")
    places = list(dict.fromkeys(reading.positions))
    if is_encoder_decoder(net):
        given = {name: asking[name] for name in ("target", "generate", "chat", "truncate") if name in asking}
        rows = run(question.model, question.objective.encoded.text, query=places, kind="cross", **given, **own)
    elif method == "attention_gradient":
        read = _read(question)
        entries = zip(reading.positions, reading.ids, strict=True)
        options = {**own, "quantity": reading.quantity}
        rows = [run(question.model, [read], query=p, target=i, **options)[0] for p, i in entries]
    else:
        rows = run(question.model, [_read(question)], query=places, **own)[0]
    return _answer(question, method, rows)


def _read(question: Question) -> Encoded:
    """What the model reads, a token for each of its ids: those of a continuation that is not scored stand nowhere."""
    encoded, inputs = question.objective.encoded, question.objective.readings[0].inputs
    count = len(inputs["input_ids"])
    more = [TokenSpan("", 0, 0, True)] * max(0, count - len(encoded.tokens))
    words = tuple(word for word in encoded.words if max(word.tokens) < count)
    read = {name: list(values) for name, values in inputs.items()}
    return Encoded(encoded.text, read, (*encoded.tokens[:count], *more), words, encoded.chat)


def _answer(question: Question, method: str, rows: Sequence[Attribution]) -> Result:
    objective = question.objective
    scores = np.stack([row.token_scores for row in rows])  # (position, token of the pass)
    to_target = float(scores[:, objective.scored :].sum(1).mean())
    missing = max(0, objective.scored - scores.shape[1])
    scores = np.pad(scores[:, : objective.scored], ((0, 0), (0, missing)))
    if not question.per_token:
        scores = scores.mean(0, keepdims=True)
    found = values(question.model.model, objective.readings)
    first = rows[0]
    return question.answer(
        method,
        tokens=scores,
        units=question.pooled(scores),
        values=np.atleast_1d(sum(value.numpy() for value in found)).tolist(),
        family=first.family,
        options=first.asked.options,
        signed=False,
        asked=Asked(stack=first.asked.stack),
        measured=replace(
            first.measured,
            to_target=to_target or None,
            excluded_mass=None if first.excluded_mass is None else _special(objective.encoded, scores[0]),
        ),
    )


def _special(encoded: Encoded, row: NDArray[np.float64]) -> float:
    return float(sum(score for token, score in zip(encoded.tokens, row, strict=True) if token.special))
