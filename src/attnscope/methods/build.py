"""Makes the result from a task and a method's Scores: pooling, what was asked and measured, provenance."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import FailureError
from attnscope.methods.table import Method
from attnscope.methods.task import Scores, Task
from attnscope.models.inputs.encode import Encoded
from attnscope.models.loading.adapters import adapters_of
from attnscope.models.loading.load import Model
from attnscope.models.quantisation import quantisation_of
from attnscope.models.typed import devices_of
from attnscope.results.attribution import Attribution, Token, Word
from attnscope.results.base import Asked, Measured
from attnscope.results.per_token import PerToken, TargetToken


def result_of(task: Task, method: Method, options: Mapping[str, Any], scores: Scores) -> Attribution | PerToken:
    """The result of a task with a target: an Attribution, or a PerToken with a row for each token of the target."""
    to_target = None
    if task.queries:
        scores, to_target = _at_predictions(task, scores)
    values = [float(value) for value in np.atleast_1d(scores.values)]
    objective = task.objective
    targets = max(1, len(objective.about)) if objective is not None else 1
    tokens, words = _pooled(task, scores, targets, "targets")
    if task.per_token and len(values) != targets:
        raise FailureError(f"{task.method} returned {len(values)} values for {targets} targets")
    measured = replace(
        scores.measured,
        value=values[0] if values and not task.per_token else None,
        to_target=to_target,
        query_tokens=_query_tokens(task),
        fixed=() if objective is None else tuple(int(i) for i in objective.fixed),
        answer=() if objective is None or objective.about else objective.answer,
    )
    first = _attribution(task, method, options, scores, tokens[0], words[0], measured)
    if not task.per_token or objective is None:
        return first
    about = [TargetToken(text, index, value) for (text, index), value in zip(objective.about, values, strict=True)]
    return PerToken(first, tuple(about), np.asarray(tokens, float), np.asarray(words, float))


def _at_predictions(task: Task, scores: Scores) -> tuple[Scores, float | None]:
    """The rows of the predicting positions, as scores of the target; and the attention that the target's tokens took.

    The scores of a target of several tokens are the mean of its rows.
    """
    rows = np.asarray(scores.tokens, dtype=np.float64)  # (position, token of the pass)
    scored = task.target.scored
    to_target = float(rows[:, scored:].sum(1).mean())
    tokens = np.pad(rows[:, :scored], ((0, 0), (0, max(0, scored - rows.shape[1]))))
    units = None if scores.units is None else np.asarray(scores.units, dtype=np.float64)
    if not task.per_token:
        tokens, units = tokens.mean(0, keepdims=True), None if units is None else units.mean(0, keepdims=True)
    return replace(scores, tokens=tokens, units=units), to_target or None


def results_by_query(
    task: Task,
    method: Method,
    options: Mapping[str, Any],
    scores: Scores,
    *,
    query_text: str | None,
    continued_at: int | None,
) -> list[Attribution]:
    """One Attribution for each query of an attention task.

    query_text: for cross-attention, the text that the query is in. continued_at: how many characters of the text were
    given.
    """
    tokens, words = _pooled(task, scores, len(task.queries), "queries")
    results = []
    for row, words_row, query, positions in zip(tokens, words, task.asked, task.queries, strict=True):
        measured = replace(
            scores.measured,
            query_tokens=None if query is None or query_text is not None else positions,
            query_text=query_text,
            continued_at=continued_at,
        )
        results.append(_attribution(task, method, options, scores, row, words_row, measured, query))
    return results


def provenance(model: Model) -> dict[str, Any]:
    """How a result was made: the model and the versions behind it."""
    return {
        "model": model.name,
        "revision": model.revision,
        "class": type(model.model).__name__,
        "adapters": ", ".join(adapters_of(model.model)) or None,
        "dtype": str(model.model.dtype).removeprefix("torch."),
        "quantisation": quantisation_of(model.model),
        "device": devices_of(model.model),
        "attention": model.model.config._attn_implementation,
        "attnscope": _version("attnscope"),
        "torch": _version("torch"),
        "transformers": _version("transformers"),
    }


@cache
def _version(package: str) -> str:
    """Read once: looking it up takes as long as a short text's whole pass through a small model."""
    return version(package)


def _pooled(task: Task, scores: Scores, expected: int, what: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of tokens and of words, (row, token) and (row, word). What the method did not give follows from the rest.

    expected: how many rows there have to be, one for each of `what`.
    """
    count = len(task.encoded.tokens)
    units = None if scores.units is None else np.atleast_2d(np.asarray(scores.units, dtype=np.float64))
    if scores.tokens is None:
        assert units is not None
        tokens = task.units.spread(units)
    else:
        tokens = np.atleast_2d(np.asarray(scores.tokens, dtype=np.float64))
        if tokens.shape[1] != count:
            raise FailureError(f"{task.method} scored {tokens.shape[1]} tokens of a text that has {count}")
    if units is None:
        units = task.units.pooled(tokens)
    if units.shape[1] != len(task.units):
        raise FailureError(f"{task.method} scored {units.shape[1]} units of a text that has {len(task.units)}")
    for rows in (tokens, units):
        if len(rows) != expected:
            raise FailureError(f"{task.method} returned {len(rows)} rows of scores for {expected} {what}")
    # Within a unit that the method scored as a whole, no token is known to count for more than another.
    return tokens, task.words.scores(units, tokens if scores.units is None else task.units.spread(units))


def _attribution(
    task: Task,
    method: Method,
    options: Mapping[str, Any],
    scores: Scores,
    tokens: NDArray[np.float64],
    words: NDArray[np.float64],
    measured: Measured,
    query: int | str | None = None,
) -> Attribution:
    encoded, objective = task.encoded, task.objective
    errors = measured.standard_error
    if errors is not None and task.words.shared:
        units = np.array(errors)
        measured = replace(measured, standard_error=tuple(task.words.scores(units, task.units.spread(units)).tolist()))
    measured = replace(measured, shared_words=task.words.shared)
    signed = method.sign == "signed" if scores.signed is None else scores.signed
    if method.shares and not signed:
        in_words = [token for word in encoded.words for token in word.tokens]
        measured = replace(measured, excluded_mass=max(0.0, float(tokens.sum() - tokens[in_words].sum())))
    measured = replace(measured, **measured_of_chat(encoded))
    return Attribution(
        method=method.name,
        family=method.family,
        text=encoded.text,
        tokens=tuple(
            Token(token.text, token.start, token.end, token.special, float(score))
            for token, score in zip(encoded.tokens, tokens, strict=True)
        ),
        words=tuple(
            Word(encoded.text[start:end], start, end, float(score))
            for (start, end), score in zip(task.words.spans, words, strict=True)
        ),
        asked=Asked(
            options={**options, **scores.options},
            target=scores.target or (objective.explained if objective else None),
            quantity=scores.quantity or (objective.quantity if objective else None),
            unit=task.units.unit,
            segments=_segments(task),
            within=task.units.within,
            query=query,
            stack=task.shared_attention.batch.stack if task.shared_attention else "self",
            **asked_of_chat(encoded),
            truncate=task.request.truncate,
        ),
        measured=measured,
        signed=signed,
        provenance=provenance(task.model),
    )


def asked_of_chat(encoded: Encoded) -> dict[str, Any]:
    """What a result says was asked of a chat or a pair; nothing for a plain text."""
    if encoded.pair is not None:
        return {"text_pair": encoded.pair.text_pair}
    if encoded.chat is None or encoded.chat.chat is None:
        return {}
    chat = encoded.chat.chat
    return {
        "chat": True,
        "messages": tuple(chat.messages),
        "tools": tuple(chat.tools),
        "chat_template_kwargs": dict(chat.template),
    }


def measured_of_chat(encoded: Encoded) -> dict[str, Any]:
    """Where the turns of a chat stand, and what the template wrote around them; where the texts of a pair stand."""
    if encoded.pair is not None:
        return {"turns": dict(encoded.turns)}
    if encoded.chat is None:
        return {}
    return {"turns": dict(encoded.turns), "template": encoded.chat.template}


def _query_tokens(task: Task) -> tuple[int, ...] | None:
    """The predicting positions in the scored text; None where each is explained separately, or in cross-attention."""
    if not task.queries or task.per_token or task.attention.batch.stack == "cross":
        return None
    return tuple(i for (i,) in task.queries if i < task.target.scored)


def _segments(task: Task) -> dict[str, tuple[int, int]]:
    if not task.units.names:
        return {}
    spans = zip(task.units.names, task.units.spans, strict=True)
    return {name: (span.start, span.end) for name, span in spans}
