"""Gradients at the embeddings, against plain autograd."""

from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import attnscope as ats
from attnscope.errors import AttnscopeError, ModelError
from attnscope.models import activation_checkpointing
from attnscope.models.gradients import attention_gradients
from families.checks.attention import BEFORE_SINK, relative
from families.outcome import NothingToCheckError, UnverifiedError, largest
from families.trial import TEXT, Trial
from reference import key_mask
from reference.eager import eager_copy, interaction_modified

_STEPS = 2


def gradient(trial: Trial) -> float:
    """The text's own loss, of a model in training mode: the norm of each token's gradient, and the value."""
    if trial.case.kind == "bare":
        _nothing_to_explain(trial)
    trial.net.train()  # as a user may have left it
    trial.watch()
    try:
        question = trial.plain.loss(trial.ids)
        got = ats.explain(trial.model, TEXT, method="gradient", **question.options)
        changed = trial.changes()
    finally:
        trial.net.eval()
        trial.watch()
    assert not changed, f"in training mode the model came back changed: {changed}"
    vectors, _, value = trial.plain.gradient(trial.ids, question)
    return largest(relative(got.token_scores, vectors.norm(dim=-1)), _off(got.measured.value, value))


def _nothing_to_explain(trial: Trial) -> None:
    """A model without a head has no loss: it is refused, and that is right."""
    try:
        ats.explain(trial.model, TEXT, method="gradient")
    except ModelError as error:
        raise NothingToCheckError(str(error)) from error
    raise UnverifiedError("a gradient, of a model without a head")


def gradient_x_input(trial: Trial) -> float:
    """A target's gradient times the embedding."""
    _with_head(trial)
    question = trial.plain.target(trial.ids, trial.position)
    got = ats.explain(trial.model, TEXT, method="gradient_x_input", **question.options)
    vectors, embeddings, value = trial.plain.gradient(trial.ids, question)
    return largest(_summed(got.token_scores, vectors * embeddings), _off(got.measured.value, value))


def integrated_gradients(trial: Trial) -> float:
    """The same gradient along the way from nothing, at the midpoints of a few steps; special tokens stay."""
    _with_head(trial)
    question = trial.plain.target(trial.ids, trial.position)
    options = {"baseline": "zero", "steps": _STEPS, "rule": "riemann"} | question.options
    got = ats.explain(trial.model, TEXT, method="integrated_gradients", **options)
    shares = torch.ones(len(trial.ids), 1)
    total = torch.zeros(())
    for step in range(_STEPS):
        shares[trial.kept] = (step + 0.5) / _STEPS
        vectors, embeddings, _ = trial.plain.gradient(trial.ids, question, share=shares)
        total = total + vectors * (embeddings / shares) / _STEPS
    return _summed(got.token_scores[trial.kept], total[trial.kept])


def gim(trial: Trial) -> float:
    """The modified backward pass, in eager attention laid open."""
    _with_head(trial)
    question = trial.plain.target(trial.ids, trial.position)
    got = ats.explain(trial.model, TEXT, method="gim", baseline="zero", **question.options)
    net = eager_copy(trial.plain.net)
    lengths = [len(trial.ids), *([len(question.decoder)] if question.decoder else [])]
    if trial.case.family in BEFORE_SINK:
        raise UnverifiedError("the textbook version knows no sinks behind the weights")
    if trial.case.family == "blt":
        raise UnverifiedError("the textbook version knows no attention to patches of bytes")
    with interaction_modified(net, lengths):
        vectors, embeddings, _ = trial.plain.gradient(trial.ids, question, net=net)
    return _summed(got.token_scores, vectors * embeddings)


def mask_gradient(trial: Trial) -> float:
    """A mask laid on the keys in eager attention, and autograd."""
    _with_head(trial)
    question = trial.plain.target(trial.ids, trial.position)
    got = ats.explain(trial.model, TEXT, method="mask_gradient", **question.options).token_scores
    if trial.case.family in BEFORE_SINK:
        raise UnverifiedError("the textbook version knows no sinks behind the weights")
    net = eager_copy(trial.plain.net)
    lengths = [len(trial.ids), *([len(question.decoder)] if question.decoder else [])]

    def value() -> Tensor:
        return question.value(trial.plain.logits(net, trial.ids, question))

    wanted, calls = key_mask.mask_gradient(len(trial.ids), lengths, value)
    if not trial.plain.two_stacks and calls != len(trial.eager):
        raise UnverifiedError(f"{calls} products of weights and values in {len(trial.eager)} layers")
    return relative(got, wanted)


def layers_run_again(trial: Trial) -> float:
    """With no memory for activations, every layer runs again on the way down: the same numbers."""
    _with_head(trial)
    question = trial.plain.target(trial.ids, trial.position)
    errors = []
    for method in ("gradient", "attention_gradient"):
        try:
            wanted = ats.explain(trial.model, TEXT, method=method, **question.options).token_scores
        except AttnscopeError:  # which its own check reports
            continue
        with (
            patch.object(activation_checkpointing, "SAVED_BYTES", 0),
            patch.object(activation_checkpointing, "LARGE", 0),
            patch.object(attention_gradients, "SAVED_BYTES", 0),
        ):
            got = ats.explain(trial.model, TEXT, method=method, **question.options).token_scores
        errors.append(relative(got, wanted))
    if not errors:
        raise NothingToCheckError("nothing is answered")
    return largest(*errors)


def _with_head(trial: Trial) -> None:
    if trial.case.kind in ("bare", "qa"):
        raise NothingToCheckError("nothing to explain")


def _summed(got: NDArray[np.float64], products: Tensor) -> float:
    """The largest difference from the products' sums, (token, hidden) -> (token,), as a share of what cancels in them.

    Behind a norm nothing may be left of them: a gradient does not point along what it scales away.
    """
    scale = products.abs().sum(-1).max().clamp_min(1e-30)
    return float((torch.as_tensor(got) - products.sum(-1)).abs().max() / scale)


def _off(got: float, wanted: float) -> float:
    return abs(got - wanted) / max(1.0, abs(wanted))
