"""Attention times its gradient, followed down through all layers (Chefer et al.)."""

from collections.abc import Sequence
from typing import Any, Unpack

import torch
from torch import Tensor

from attnscope.errors import InputError, ModelError
from attnscope.methods.attention.request import Queries, heads_of, looked, one_stack
from attnscope.methods.request import Asking, Question, answers, questions
from attnscope.models.architecture import is_encoder_decoder, task_of
from attnscope.models.attention.query_key_batch import Sides
from attnscope.models.gradients.attention_relevance import relevance
from attnscope.models.loading.load import Model, load
from attnscope.models.targets.readout import Reading
from attnscope.results.base import Asked

# What stands beside a query: the prediction there is the target.
_BESIDE_QUERY = ("target", "against", "quantity", "chat", "truncate")
QUANTITIES = ("log_probability", "logit")


def attention_gradient(model: Model, text: str | Sequence[str], query: Queries = -1, **asking: Unpack[Asking]) -> Any:
    """How much each token matters to a target, by attention weighed with its gradient, through all layers.

    R_0 = I, R_l = R_{l-1} + Ā_l · R_{l-1}, with Ā = mean over heads of (∇A ⊙ A)⁺, the positive part of a layer's
    attention times the target's gradient at it. The score is the row R[p, :] less p itself, summed over the positions p
    that the target is read at: never negative, in units of the target (Chefer et al. 2021, arXiv:2103.15679).

    The target is what importance methods take (`attnscope.models.targets`): a continuation, whose log-probabilities add
    up, or generate=N; a classifier's class; a masked position. A causal model that is asked for nothing explains the
    token that it finds most likely next.

    query: a token of the text whose own prediction is explained instead (its last token, if a word); several give a
           list; None the mean over all, whose gradient comes down in one pass. Then `target` is the next token that is
           asked for there, the first of this text, by default the most likely one (a masked model: the token at the
           query itself); against: a text whose first token it is held against; quantity: "log_probability" or "logit".

    A row goes down from the top layer as a vector, layer by layer while the gradient arrives there; no n × n matrix is
    held. It misleads as all gradients do where the prediction is saturated; it drops what speaks against the target.

    Raises what `gradient` and `attention` raise; ModelError for a model with two stacks; InputError for a contrast
    that the model has to read in two passes.
    """
    model = load(model)
    if is_encoder_decoder(model.model):
        raise ModelError(
            f"{type(model.model).__name__}: attention_gradient follows one stack of layers to a prediction; it needs a "
            "causal or masked language model or a classifier"
        )
    asked_by_target = {"target", "generate"} & _given(asking) or task_of(model.model) != "causal"
    if query != -1 or not asked_by_target:
        return _at_query(model, text, query, asking)
    return answers(text, [_answer(question) for question in questions(model, text, asking, "attention_gradient")])


def _given(asking: Asking) -> set[str]:
    return {name for name, value in asking.items() if value is not None and value is not False}


def _answer(question: Question) -> Any:
    if len(question.objective.readings) > 1:
        raise InputError(
            "target and against are continuations that differ before their last token, which the model reads in two "
            "passes, and what speaks for one is no part of the other: explain each by itself"
        )
    found = relevance(question.model, question.objective.readings[0])
    tokens = question.objective.on_tokens(found.row[None]).numpy()
    return question.answer(
        "attention_gradient",
        tokens=tokens,
        units=question.pooled(tokens),
        values=[found.value],
        family="flow",
        options={},
        signed=False,
    )


def _at_query(model: Model, text: str | Sequence[str], query: Queries, asking: Asking) -> Any:
    """The prediction at a token of the text itself."""
    if beside := sorted(_given(asking) - set(_BESIDE_QUERY)):
        raise InputError(f"{beside[0]} does not go with a query: leave out one of them")
    target, against = asking.get("target"), asking.get("against")
    quantity = asking.get("quantity") or "log_probability"
    if quantity not in QUANTITIES:
        raise InputError(f"quantity={quantity!r}: at a query choose from {', '.join(QUANTITIES)}")
    if against is not None and target is None:
        raise InputError(f"against={against!r} needs a target that it is held against: give target too")
    if task_of(model.model) not in ("causal", "masked"):
        raise ModelError(
            f"{type(model.model).__name__} predicts no token at a query: leave query out and give a label as target, "
            "or load a causal or masked language model"
        )

    def score(batch: Sides, weights: Tensor) -> tuple[Tensor, Asked]:
        one_stack(batch, "attention_gradient")
        heads_of(batch)  # the model is known to be readable from here on
        asked = tuple(_first_id(batch.model, t) for t in (target, against) if t is not None)
        rows, said = [], ""
        for mixed in weights[0]:
            places = mixed.nonzero().flatten().tolist()
            places = places if query is None else places[-1:]
            count = len(asked) or 1
            reading = Reading(
                batch.keys[0].inputs, tuple(p for p in places for _ in range(count)), (asked or (0,)) * len(places),
                (1, -1)[:count] * len(places), quantity,
            )  # fmt: skip
            found = relevance(batch.model, reading, likeliest=not asked)
            rows.append(found.row / len(places))
            what = " minus that of ".join(repr(batch.model.tokenizer.decode([i])) for i in found.ids[:count])
            what = "the likeliest token at each position, on average" if query is None and not asked else what
            said = f"{quantity.replace('_', '-')} of {what}"
        return torch.stack(rows)[None], Asked(target=said, quantity=quantity)

    return looked(
        model, text, query, score, family="flow", method="attention_gradient", mass=False,
        looking={"chat": asking.get("chat", False), "truncate": asking.get("truncate", False)},
        one_text_at_a_time=True,
    )  # fmt: skip


def _first_id(model: Model, text: object) -> int:
    if isinstance(text, int):
        return text
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"] if isinstance(text, str) and text else []
    if not ids:
        raise InputError(f"the target {text!r} gives no tokens: give what should follow, such as ' positive'")
    return int(ids[0])
