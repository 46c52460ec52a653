"""Attention times its gradient, followed down through all layers (Chefer et al.)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from attnscope.errors import InputError, ModelError
from attnscope.methods.attention.common import within_one_text
from attnscope.methods.attention.layers import coverage
from attnscope.methods.task import Scores, Task
from attnscope.models.architecture import is_encoder_decoder, task_of
from attnscope.models.attention.layout import attention_layout
from attnscope.models.gradients.attention_gradients import LayerGradient, attention_gradients
from attnscope.models.loading.load import Model
from attnscope.models.targets.readout import Readout, batch_inputs
from attnscope.results.base import Measured

# With a query, the target is the prediction there: these options ask for another one.
_NOT_BESIDE_QUERY = ("generate", "per_token", "position")
QUANTITIES = ("log_probability", "logit")


def attention_gradient(task: Task) -> Scores:
    """How much each token matters to a target, by attention weighted with its gradient, through all layers.

    R_0 = I, R_l = R_{l-1} + Ā_l · R_{l-1}, with Ā = mean over heads of (∇A ⊙ A)⁺, the positive part of a layer's
    attention times the target's gradient at it. The score is the row R[p, :] less p itself, summed over the positions p
    that the target is read at: never negative, in units of the target (Chefer et al. 2021, arXiv:2103.15679).

    The target is that of the gradient methods (`attnscope.models.targets`): a continuation, whose log-probabilities add
    up, or generate=N; a classifier's class; a masked position. Without a target, a causal model explains the token that
    it finds most likely next.

    query: a token of the text whose own prediction is explained instead (of a word, its last token); a list gives a
           list of results; None gives the mean over all tokens, in one backward pass. `target` is then the token that
           follows the query: the first token of this text, by default the most likely one (in a masked model: the token
           at the query itself). against: a text whose first token the target is contrasted with; quantity:
           "log_probability" or "logit".

    A row is followed down from the top layer as a vector, layer by layer as the backward pass arrives there; no n × n
    matrix is held. It misleads as all gradients do where the prediction is saturated, and it drops what speaks against
    the target.

    Raises what `gradient` and `attention` raise; ModelError for a model with two stacks; InputError for a contrast
    that takes the model two passes.
    """
    if is_encoder_decoder(task.model.model):
        raise ModelError(
            f"{type(task.model.model).__name__}: attention_gradient follows one stack of layers to a prediction; it "
            "needs a causal or masked language model or a classifier"
        )
    return _at_query(task) if task.objective is None else _at_target(task)


def _at_target(task: Task) -> Scores:
    objective = task.target
    if len(objective.readouts) > 1:
        raise InputError(
            "target and against are continuations that differ before their last token, which the model reads in two "
            "passes, and what speaks for one is no part of the other: explain each by itself"
        )
    (readout,) = objective.readouts
    readouts = readout.by_entry() if task.per_token else [readout]
    relevances = [relevance(task.model, readout) for readout in readouts]
    rows = torch.cat([objective.on_tokens(of_readout.row[None]) for of_readout in relevances])
    measured = Measured(coverage=_coverage(task.model, readout))
    return Scores(tokens=rows, values=[of_readout.value for of_readout in relevances], measured=measured)


def _coverage(model: Model, readout: Readout) -> tuple[int, int] | None:
    return coverage(attention_layout(model.model, batch_inputs(model.model, [readout])), "self")


def _at_query(task: Task) -> Scores:
    """Explains the prediction at a token of the text itself."""
    model, request = task.model, task.request
    if conflicting := [name for name in _NOT_BESIDE_QUERY if request.given(name)]:
        raise InputError(f"{conflicting[0]} does not go with a query: leave out one of them")
    quantity = request.quantity or "log_probability"
    if quantity not in QUANTITIES:
        raise InputError(f"quantity={quantity!r}: at a query choose from {', '.join(QUANTITIES)}")
    if request.against is not None and request.target is None:
        raise InputError(f"against={request.against!r} needs a target that it is held against: give target too")
    if task_of(model.model) not in ("causal", "masked"):
        raise ModelError(
            f"{type(model.model).__name__} predicts no token at a query: leave query out and give a label as target, "
            "or load a causal or masked language model"
        )
    within_one_text(task)
    target_ids = tuple(_first_id(model, text) for text in (request.target, request.against) if text is not None)
    rows, explained = [], ""
    for query, positions in zip(task.asked, task.queries, strict=True):
        places = positions if query is None else positions[-1:]
        count = len(target_ids) or 1
        readout = Readout(
            task.encoded.inputs, tuple(p for p in places for _ in range(count)), (target_ids or (0,)) * len(places),
            (1, -1)[:count] * len(places), quantity,
        )  # fmt: skip
        at_query = relevance(model, readout, likeliest=not target_ids)
        rows.append(at_query.row / len(places))
        tokens = " minus that of ".join(repr(model.tokenizer.decode([i])) for i in at_query.ids[:count])
        tokens = "the likeliest token at each position, on average" if query is None and not target_ids else tokens
        explained = f"{quantity.replace('_', '-')} of {tokens}"
    measured = Measured(coverage=_coverage(model, readout))
    return Scores(tokens=torch.stack(rows), target=explained, quantity=quantity, measured=measured)


@dataclass(frozen=True)
class Relevance:
    """row: (token,), the relevance of each token, less each predicting token's own. value, ids: as in ReadValue."""

    row: Tensor
    value: float
    ids: tuple[int, ...]


def relevance(model: Model, readout: Readout, *, likeliest: bool = False) -> Relevance:
    """Chefer's relevance of each token that the model reads, for the single value of `readout`.

    The row starts with 1 at each position that the target is read at, not at each query of the top attention that
    receives a gradient: below a convolution or a state space that is more. Each layer adds the row times its attention
    and the gradient at that attention.
    """
    rows: list[Tensor] = []

    def see(layer: LayerGradient) -> None:
        if not rows:
            rows.append(layer.read_at.float())
        rows[1:] = [relevance_below(rows[-1], layer)]

    read = attention_gradients(model, readout, see, likeliest=likeliest)
    if not rows:
        raise ModelError(
            f"{type(model.model).__name__} does not make its output of the attention weights that it returns, so no "
            "gradient arrives at them: use rollout, or a gradient method"
        )
    return Relevance(rows[-1] - rows[0], read.value, read.ids)


def relevance_below(row: Tensor, layer: LayerGradient) -> Tensor:
    """(token,) -> (token,): R_p + R_p · Ā, with Ā the mean over heads of (∇A ⊙ A)⁺."""
    added = torch.zeros_like(row)
    for block in layer.blocks(row.nonzero().flatten()):
        positive = block.gradient.mul_(block.weights).clamp_min_(0)  # (head, query, key)
        added[: positive.shape[-1]] += torch.einsum("hqk,q->k", positive, row[block.queries].to(positive)).cpu()
    return row + added / layer.heads


def _first_id(model: Model, text: object) -> int:
    if isinstance(text, int):
        return text
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"] if isinstance(text, str) and text else []
    if not ids:
        raise InputError(f"the target {text!r} gives no tokens: give what should follow, such as ' positive'")
    return int(ids[0])
