"""The heads' attention to each source, combined linearly, and weights learnt from the sources' true effects."""

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnscope.errors import AdviceWarning, InputError, ModelError, NonFiniteError
from attnscope.methods.build import provenance
from attnscope.models.architecture import is_encoder_decoder
from attnscope.models.attention.capture import capture
from attnscope.models.attention.interface import AttentionCall
from attnscope.models.attention.layout import attention_layout
from attnscope.models.loading.load import Model
from attnscope.models.targets.readout import batch_inputs
from attnscope.results.citation.head_weights import HeadWeights
from attnscope.studies.citation.setup import Part, Setup

Floats = NDArray[np.float64]
_PENALTIES = np.logspace(-3, 3, 13)


def heads(setup: Setup, weights: HeadWeights | None) -> Floats:
    """(statement, source) Σ over heads of weight · share, by one pass.

    A head's share is the attention that it gives to the source's tokens where it predicts the statement's, their mean.
    Without weights each head counts alike, and the score is a share of attention, 0 to 1.
    """
    shares, layers = attention_shares(setup, setup.parts)
    if not np.isfinite(shares).all():
        raise NonFiniteError('a share of attention is not finite: the model\'s numbers overflowed; try dtype="float32"')
    if weights is None:
        found: Floats = shares.mean(0)
        return found
    _check_model(weights, setup.model, tuple(layers))
    return np.asarray(np.tensordot(np.array(weights.weights), shares, 1))


def _check_model(weights: HeadWeights, model: Model, layers: tuple[tuple[int, int], ...]) -> None:
    """Raises ModelError for weights of another kind of model; warns where they are of one of another name."""
    made = provenance(model)
    if weights.layers != layers:
        raise ModelError(
            f"the weights are of a model with other heads ({len(weights.layers)} layers of {weights.model}): learn "
            "them on this one, with attnscope.learn_heads"
        )
    if (kind := weights.provenance.get("class", made["class"])) != made["class"]:
        raise ModelError(
            f"the weights are of another kind of model ({weights.model}, a {kind}; this is a {made['class']}): learn "
            "them on this one, with attnscope.learn_heads"
        )
    if weights.model != made["model"]:
        warnings.warn(
            f"the weights of heads were learnt on {weights.model}, and this model is {made['model']}: if they are not "
            "the same, learn weights on this one, with attnscope.learn_heads",
            AdviceWarning,
            stacklevel=3,
        )


def attention_shares(setup: Setup, parts: Sequence[Part]) -> tuple[Floats, list[tuple[int, int]]]:
    """(head, statement, source) each head's attention to each source, and [(layer, how many heads)] in their order.

    Of the weights only their sums over a source's tokens are kept, a block of queries at a time: no more memory than
    heads × statements × sources, whatever the length of the text.
    """
    net, readout = setup.model.model, setup.objective.readouts[0]
    inputs = batch_inputs(net, [readout])
    stack = "cross" if is_encoder_decoder(net) else "self"
    by_layer = attention_layout(net, inputs, stack).heads_of(stack)
    setup.other_passes += 1
    keys = len(readout.inputs["input_ids"])
    of_source = torch.zeros(keys, len(parts))
    for i, part in enumerate(parts):
        of_source[sorted(part.tokens), i] = 1
    counts = np.bincount(setup.token_statement, minlength=len(setup.statements)).clip(1)
    positions = torch.tensor(readout.positions)
    to_statement = torch.zeros(len(setup.statements), len(positions))
    for token, statement in enumerate(setup.token_statement):
        to_statement[statement, token] = 1 / float(counts[statement])
    shares: dict[int, Tensor] = {}

    def see(layer: int, call: AttentionCall) -> None:
        total = torch.zeros(call.heads, len(setup.statements), len(parts))
        start = 0
        for block in call.blocks(positions):
            seen = block.weights.shape[-1]
            to_sources = block.weights[0].cpu() @ of_source[:seen]
            mixed = to_statement[:, start : start + len(block.queries)]
            total += torch.einsum("hqs,kq->hks", to_sources, mixed)
            start += len(block.queries)
        shares[layer] = total

    capture(net, inputs, list(by_layer), see, stack)
    every = torch.cat([shares[layer] for layer in by_layer]).double().numpy()
    return every, list(by_layer.items())


def learnt(model: Model, examples: Sequence[tuple[Floats, Floats]], layers: list[tuple[int, int]]) -> HeadWeights:
    """Weights by ridge regression of the sources' true effects on the heads' shares (after AT2, arXiv:2504.13752).

    examples: of each question, shares (head, statement, source) and effects (statement, source). Both are taken from
    their mean over a statement's sources, for the scores rank the sources of one statement. The penalty has the
    smallest error for questions left out, one at a time: a source alone left out would be given away by the others of
    its statement, since together they are at 0.
    """
    features, targets = [], []
    for shares, effects in examples:
        if effects.shape[1] < 2:
            continue
        features.append((shares - shares.mean(2, keepdims=True)).reshape(len(shares), -1).T)
        targets.append((effects - effects.mean(1, keepdims=True)).ravel())
    if not features:
        raise InputError("weights of heads are learnt from questions with two sources or more, and there was none")
    weights, predicted = _ridge(features, targets)
    made = provenance(model)
    return HeadWeights(str(made["model"]), tuple(layers), tuple(map(float, weights)), len(features), predicted, made)


def _ridge(features: Sequence[Floats], targets: Sequence[Floats]) -> tuple[Floats, float]:
    """Slopes, and the share of variance that those of the other questions predict for each question left out.

    features: of each question (row, head). targets: of each question (row,).
    """
    left, sizes, right = np.linalg.svd(np.concatenate(features), full_matrices=False)
    y = np.concatenate(targets)
    on_left = left.T @ y
    ends = np.cumsum([len(rows) for rows in targets])[:-1]
    by_question = list(zip(np.split(left, ends), targets, strict=True))
    best: tuple[float, Floats] | None = None
    for penalty in _PENALTIES * float((sizes**2).mean() or 1.0):
        shrink = sizes**2 / (sizes**2 + penalty)
        error = 0.0
        for rows, own in by_question:
            # What is missed without a question follows from what is missed with it: (1 − H)⁻¹ times that, H its block
            # of the matrix that makes predictions of targets.
            missed = own - rows @ (shrink * on_left)
            block = np.eye(len(own)) - (rows * shrink) @ rows.T
            error += float((np.linalg.solve(block, missed) ** 2).sum())
        if best is None or error < best[0]:
            best = error, right.T @ (sizes / (sizes**2 + penalty) * on_left)
    assert best is not None
    total = float((y**2).sum())
    return best[1], 1 - best[0] / total if total > 0 else 0.0
