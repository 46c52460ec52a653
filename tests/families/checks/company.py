"""A text among others, and a model in half precision."""

import numpy as np
import torch

import attnscope as ats
from families.checks.attention import relative
from families.outcome import NothingToCheckError, UnverifiedError, largest
from families.trial import SHORT, TEXT, Trial

# How much further from single precision than the model's own eager attention ours may be. Rounding is chance: where the
# model's is small in the rows that are looked at, ours may still be larger.
_FURTHER, _A_LITTLE = 3.0, 0.05

# What is chosen by rank among tiny differences (an indexer's tokens) is another choice with any rounding.
_BY_RANK = ("deepseek_v4",)
_OTHERS = (
    "A small river runs through the town and under the old bridge, where the castle stood before the war.",
    "Nobody on the hill knows why the bell of the church below rings at night, or who it is that rings it.",
)


def in_a_list(trial: Trial) -> float | None:
    """Each method's answer for a text in a list is the one that it gets alone; what is refused alone is left out."""
    asked = {"attention": {"query": -1, "layer": -1, "head": -1}, "rollout": {"query": -1}, "gradient": {}}
    worst, answered = 0.0, 0
    for method, options in asked.items():
        try:
            alone = [ats.explain(trial.model, text, method=method, **options) for text in (SHORT, TEXT)]
        except Exception:  # which its own check reports
            continue
        answered += 1
        together = ats.explain(trial.model, [SHORT, TEXT], method=method, **options)
        errors = [relative(a.token_scores, b.token_scores) for a, b in zip(together, alone, strict=True)]
        worst = largest(worst, *errors)
    if not answered:
        raise NothingToCheckError("nothing is answered")
    return worst


def bfloat16(trial: Trial) -> float | None:
    """Saved and run in bfloat16."""
    return _in_half(trial, torch.bfloat16)


def float16(trial: Trial) -> float | None:
    """Saved and run in float16."""
    return _in_half(trial, torch.float16)


def _in_half(trial: Trial, dtype: torch.dtype) -> float | None:
    """Rows and gradients are as near to those of single precision as the model's own are, or nearly."""
    if trial.net.dtype == torch.float64:
        return None  # asked again: half precision has no exact answer to compare with
    half = trial.in_precision(dtype)
    # Rounding is chance, and may move a token to another expert. A fault is there in every text.
    worst = np.inf
    for text in (TEXT, *_OTHERS):
        worst = min(worst, _further(trial, half, text))
        if worst <= 1.0:
            break
    if worst > 1.0 and trial.case.family in _BY_RANK:
        raise UnverifiedError("which tokens a layer attends to is a matter of rounding")
    assert worst <= 1.0, f"{worst:.2g} times further from single precision than the model's own rounding explains"
    if half.changes():
        raise AssertionError("the model came back changed")
    return worst


def _further(trial: Trial, half: Trial, text: str) -> float:
    """How much further from single precision ours is in this text than is allowed: 1 is as much as is."""
    ids = trial.plain.ids(text)
    question = None if trial.case.kind == "bare" else trial.plain.loss(ids)
    try:
        theirs = half.eager_of(text) if _answers(trial, "attention") else []
        single = trial.eager_of(text) if theirs else []
        theirs_gradient = half.plain.gradient(ids, question)[0] if question else None
    except Exception as error:
        raise NothingToCheckError(f"the model itself fails: {type(error).__name__}: {str(error)[:120]}") from error
    if not all(weights.isfinite().all() for weights in theirs):
        raise NothingToCheckError("the model itself overflows")
    errors = []
    if theirs:
        for number, layer in {0: trial.layers[0], len(theirs) - 1: trial.layers[-1]}.items():
            queries = [-1, len(ids) // 2]
            for query, row in zip(queries, ats.attention(half.model, text, layer, 0, queries), strict=True):
                got = row.token_scores
                exact = single[number][0, query].double().numpy()
                rounded = theirs[number][0, query].double().numpy()
                allowed = _FURTHER * np.abs(rounded - exact).max() + _A_LITTLE
                errors.append(float(np.abs(got - exact).max() / allowed))
    if question and theirs_gradient is not None and theirs_gradient.isfinite().all() and _answers(trial, "gradient"):
        exact_gradient = trial.plain.gradient(ids, question)[0].norm(dim=-1)
        got = ats.explain(half.model, text, method="gradient").token_scores
        away = [1 - _cosine(scores, exact_gradient) for scores in (theirs_gradient.norm(dim=-1), got)]
        errors.append(away[1] / (_FURTHER * away[0] + _A_LITTLE))
    if not errors:
        raise NothingToCheckError("nothing is answered")
    return largest(*errors)


def _answers(trial: Trial, method: str) -> bool:
    """Whether there is an answer in single precision; where not, that check reports it."""
    try:
        ats.explain(trial.model, SHORT, method=method)
    except Exception:
        return False
    if method == "attention":
        try:
            return bool(trial.eager)
        except Exception as error:
            raise UnverifiedError("the model gives no attention of its own") from error
    return True


def _cosine(one: object, other: object) -> float:
    a, b = (np.asarray(vector, dtype=np.float64) for vector in (one, other))
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-300))
