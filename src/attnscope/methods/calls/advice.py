"""Advice: one line, once a call, where what was asked is allowed but hardly what was meant.

What can be seen from the text alone costs nothing. Where the target turned out to be unlikely, one more pass finds out
what the model would rather have said.
"""

import math
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import regex
import torch

from attnscope.errors import AdviceWarning, AttnscopeError
from attnscope.models.architecture import task_of
from attnscope.models.default_settings import default_settings
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.loading.load import Model
from attnscope.models.targets.readout import values
from attnscope.models.targets.resolve import resolve
from attnscope.models.targets.target import Target
from attnscope.models.typed import decoded
from attnscope.results.attribution import Attribution
from attnscope.results.per_token import PerToken

# A target below this probability is looked into; another wording has to be so many times likelier to be named.
_UNLIKELY = 0.01
_LIKELIER = 10.0
_FILE = re.compile(r"\S+\.(?:txt|md|csv|tsv|jsonl?|ndjson|parquet|html?|pdf|docx?)", re.IGNORECASE)
# Letters and digits of scripts that put spaces between words.
_SPACED = regex.compile(
    r"[[\p{L}\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}ー]]", regex.V1
)
# What two passes over the same text may differ by, of a value of about 1.
_ROUNDING = {torch.float64: 1e-14, torch.float32: 2e-6, torch.float16: 4e-3, torch.bfloat16: 3e-2}

_ENDS_WITH_A_SPACE = (
    "the text ends with a space: models read a word with the space before it, and write something else after a space "
    "that stands alone; leave it out"
)

# The causes that have been heard of and need no saying again; None: each call starts anew.
_heard: ContextVar[set[str] | None] = ContextVar("_heard", default=None)


@contextmanager
def advice_once(heard: Iterable[str] = ()) -> Iterator[None]:
    """Several calls that are one to the user: each cause is said once, and those of `heard` not at all."""
    token = _heard.set(set(heard))
    try:
        yield
    finally:
        _heard.reset(token)


def without_advice() -> AbstractContextManager[None]:
    """For studies, which ask for many explanations and choose the targets themselves."""
    return advice_once(_CAUSES)


def advise(model: Model, texts: Sequence[Any], given: Sequence[Mapping[str, Any]], results: Sequence[Any]) -> None:
    """Warn, each cause once, of what the requests (`given`: of each text its parameters) and results show."""
    outer = _heard.get()
    heard: set[str] = set() if outer is None else outer
    for text, asked, result in zip(texts, given, results, strict=True):
        whole = result.first if isinstance(result, PerToken) else result
        if not isinstance(whole, Attribution):
            continue
        for cause, look in _CAUSES.items():
            if cause in heard:
                continue
            with default_settings():
                advice = look(model, text, asked, whole)
            if advice:
                heard.add(cause)
                warnings.warn(advice, AdviceWarning, stacklevel=_outside())


def _outside() -> int:
    """How many frames up the caller of attnscope is, whose line a warning names."""
    package, level, frame = str(Path(__file__).parents[2]), 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        frame, level = frame.f_back, level + 1
    return level


def _file(_model: Model, text: Any, _asked: Mapping[str, Any], _result: Attribution) -> str | None:
    if isinstance(text, str) and _FILE.fullmatch(text.strip()):
        return (
            f"the text {text.strip()!r} is the name of a file, and the name is what was explained: hand over what is "
            "in it (on the command line with --file)"
        )
    return None


def _special_tokens(model: Model, text: Any, asked: Mapping[str, Any], result: Attribution) -> str | None:
    """Special tokens inside a text. One that begins with them was rendered by a chat template, on purpose."""
    if not isinstance(text, str) or asked.get("segments") == "turns":
        return None
    written = [t for t in result.tokens if t.special and t.start < t.end and t.text != model.tokenizer.mask_token]
    if not written or not text[: written[0].start].strip():
        return None
    return (
        f"the text has the model's special token {written[0].text!r} in it: the model reads it as such, and the "
        "picture leaves it out; a chat is given as messages, a pair of texts as text_pair"
    )


def _target(model: Model, text: Any, asked: Mapping[str, Any], result: Attribution) -> str | None:
    """A target that is unlikely: for want of its space, for a space too many, or by itself."""
    target, task = asked.get("target"), task_of(model.model)
    if asked.get("generate") and task == "causal" and isinstance(text, str) and _other_spacing(text, "a"):
        return _ENDS_WITH_A_SPACE if text[-1:] == " " and not asked.get("chat") else None
    alone = not any(asked.get(name) for name in ("against", "chat", "tools", "window", "per_token"))
    if not (isinstance(text, str) and isinstance(target, str) and target and alone and task in ("causal", "masked")):
        return None
    value = result.measured.value
    if value is None or result.asked.quantity not in ("log_probability", "probability"):
        return None
    probability = math.exp(min(0.0, value)) if result.asked.quantity == "log_probability" else value
    try:
        if task == "causal" and (other := _other_spacing(text, target)):
            theirs = _probability(model, *other)
            if theirs > max(_LIKELIER * probability, 1e-4):
                where = (
                    "the text ends with a space"
                    if text[-1:].isspace()
                    else f"the target {target!r} has no space before it"
                )
                return (
                    f"{where}: models read a word with the space before it; {other[1]!r} after {other[0][-20:]!r} "
                    f"has the probability {theirs:.2g}, {target!r} as given {probability:.2g}"
                )
        if probability < _UNLIKELY:
            said, theirs = _would_say(model, text, asked)
            if said.strip() and not target.startswith(said) and theirs > _LIKELIER * probability:
                return (
                    f"the target {target!r} is unlikely (probability {probability:.2g}): the model would have said "
                    f"{said!r} ({theirs:.2g})"
                )
    except AttnscopeError:  # advice is no reason to fail
        pass
    return None


def _other_spacing(text: str, target: str) -> tuple[str, str] | None:
    """The text and the target with one space between them, where there is none or one in the wrong place."""
    bare, word = text.rstrip(" \t"), target.lstrip(" ")
    if not bare or not word or bare[-1] == "\n" or not _SPACED.match(word[0]):
        return None
    if _SPACED.match(bare[-1]) or bare[-1] in ".,;:!?)'\"”’":
        return (bare, f" {word}") if (bare, f" {word}") != (text, target) else None
    return None


def _probability(model: Model, text: str, target: str) -> float:
    (encoded,) = encoded_texts(model, text)
    return _likelihood(model, resolve(model, encoded, Target(target)).readouts)


def _would_say(model: Model, text: str, asked: Mapping[str, Any]) -> tuple[str, float]:
    """What the model itself would say here, and how likely that is."""
    (encoded,) = encoded_texts(model, text)
    causal = task_of(model.model) == "causal"
    target = Target(generate=1) if causal else Target(position=asked.get("position"))
    readouts = resolve(model, encoded, target).readouts
    return decoded(model.tokenizer, list(readouts[0].ids)), _likelihood(model, readouts)


def _likelihood(model: Model, readouts: Any) -> float:
    return math.exp(min(0.0, sum(float(value.sum()) for value in values(model.model, readouts))))


def _noise(model: Model, _text: Any, _asked: Mapping[str, Any], result: Attribution) -> str | None:
    """Scores that say nothing: no larger than their own error, or than rounding."""
    if not result.words:
        return None
    scores, measured = abs(result.scores), result.measured
    first = int(scores.argmax())
    largest = float(scores[first])
    if measured.standard_error and largest <= 2 * measured.standard_error[first]:
        return (
            f"the scores cannot be told from noise: the largest is {largest:.2g}, with a standard error of "
            f"{measured.standard_error[first]:.2g}; take more samples"
        )
    if measured.completeness_error is not None and abs(measured.completeness_error) > largest:
        return (
            f"the scores cannot be told from the method's error: the largest is {largest:.2g}, and they miss the "
            f"change that they add up to by {abs(measured.completeness_error):.2g}; take more steps or another "
            "baseline"
        )
    rounding = _ROUNDING.get(model.model.dtype, 0.0) * max(1.0, abs(measured.value or 0.0))
    if result.family == "perturbation" and largest < rounding:
        return (
            f"the scores cannot be told from rounding: the largest is {largest:.2g}, and values in "
            f"{str(model.model.dtype).removeprefix('torch.')} are sure to about {rounding:.0e}"
        )
    return None


_CAUSES = {"file": _file, "special": _special_tokens, "target": _target, "noise": _noise}
