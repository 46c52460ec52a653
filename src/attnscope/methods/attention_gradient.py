"""Attention times its gradient, followed down through all layers (Chefer et al.)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from attnscope.errors import InputError, ModelError
from attnscope.methods.looking import Queries, heads_of, looked, one_stack
from attnscope.models.load import Model
from attnscope.models.relevance import Aim, relevance
from attnscope.models.run import kind_of
from attnscope.models.sides import Sides

QUANTITIES = ("log_probability", "logit")


def attention_gradient(
    model: Model,
    text: str | Sequence[str],
    query: Queries = -1,
    *,
    target: str | int | None = None,
    against: str | None = None,
    quantity: Literal["log_probability", "logit"] = "log_probability",
    chat: bool = False,
    truncate: bool = False,
) -> Any:
    """How much each token matters to a prediction, by attention weighed with its gradient, through all layers.

    R_0 = I, R_l = R_{l-1} + Ā_l · R_{l-1}, with Ā = mean over heads of (∇A ⊙ A)⁺, the positive part of a layer's
    attention times the target's gradient at it. The score is the row R[query, :] less the query itself, never
    negative, in units of the target (Chefer et al. 2021, arXiv:2103.15679).

    query:    the token whose prediction is explained (its last token, if a word): by default the last one. Several give
              a list; a mean over queries has no one prediction and is refused.
    target:   the next token that is asked for: the first token of this text, after the query; by default the one that
              the model finds most likely there. (A masked model: the token at the query itself.)
    against:  a text whose first token it is held against: the difference of the two is explained.
    quantity: "log_probability" or "logit" of the target.
    chat, truncate: as in `attention`.

    A row goes down from the top layer as a vector, layer by layer while the gradient arrives there; no n × n matrix is
    held. It misleads as all gradients do where the prediction is saturated; it drops what speaks against the target.

    Raises what `attention` raises; ModelError for a model without a language-model head, or with two stacks.
    """
    if quantity not in QUANTITIES:
        raise InputError(f"quantity={quantity!r}: choose from {', '.join(QUANTITIES)}")
    if against is not None and target is None:
        raise InputError(f"against={against!r} needs a target that it is held against: give target too")
    if query is None:
        raise InputError("attention_gradient explains the prediction at one token: give a query, a word or an index")

    def score(batch: Sides, weights: Tensor) -> tuple[Tensor, Mapping[str, Any]]:
        one_stack(batch, "attention_gradient")
        net = batch.model.model
        if kind_of(net) not in ("causal", "masked"):
            raise ModelError(
                f"{type(net).__name__}: attention_gradient follows one stack of layers to one prediction; it needs a "
                "causal or masked language model"
            )
        heads_of(batch)  # the model is known to be readable from here on
        wanted, other = (None if t is None else _first_id(batch.model, t) for t in (target, against))
        rows, said = [], ""
        for mixed in weights[0]:
            position = int(mixed.nonzero().max())
            row, said = relevance(batch.model, batch.inputs, Aim(position, wanted, other, quantity))
            rows.append(row)
        return torch.stack(rows)[None], {"target": said, "quantity": quantity}

    return looked(
        model, text, query, score, kind="importance", method="attention_gradient", mass=False,
        looking={"chat": chat, "truncate": truncate}, one_text_at_a_time=True,
    )  # fmt: skip


def _first_id(model: Model, text: str | int) -> int:
    if isinstance(text, int):
        return text
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"] if text else []
    if not ids:
        raise InputError(f"the target {text!r} gives no tokens: give what should follow, such as ' positive'")
    return int(ids[0])
