"""What a causal model would write next: its likeliest tokens, and how the likeliest follows from the text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attnscope.errors import ModelError
from attnscope.models.architecture import accepted, task_of
from attnscope.models.gradients.input_gradients import gradient_of_next
from attnscope.models.inputs.batching import tensors
from attnscope.models.inputs.continuation import opened, text_after
from attnscope.models.inputs.encode import Encoded
from attnscope.models.inputs.generation import ends
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.load import Model
from attnscope.models.targets.head_split import has_separate_head, logits_of, split_at_head

# How many of the likeliest are kept.
COUNT = 10


@dataclass(frozen=True)
class NextToken:
    """A token that may come next.

    text:  what it adds to the text; probability: from 0 to 1.
    whole: whether it can be a target: a text by itself, not a part of a character and not the end of the text.
    """

    id: int
    text: str
    probability: float
    whole: bool


def next_log_probabilities(model: Model, inputs: Mapping[str, Sequence[int]]) -> Tensor:
    """(vocabulary,) The log-probabilities of the token after these, float32, by one pass without gradients."""
    net = model.model
    given = tensors(net, {name: list(values) for name, values in inputs.items()})
    separate = has_separate_head(net)
    with unchanged(net), torch.no_grad():
        if not separate:
            return logits_of(net, given)[0, -1].float().log_softmax(-1)
        with split_at_head(net, given) as (hidden, head):
            return head(hidden[:, -1:])[0, 0].float().log_softmax(-1)


def next_tokens(model: Model, encoded: Encoded, log_probabilities: Tensor, count: int = COUNT) -> list[NextToken]:
    """The likeliest tokens after the text, the likeliest first. log_probabilities: (vocabulary,)."""
    before = opened(model.tokenizer, encoded).inputs["input_ids"]
    stops = ends(model)
    best = log_probabilities.topk(min(count, len(log_probabilities)))
    found = []
    for value, identity in zip(best.values.tolist(), best.indices.tolist(), strict=True):
        text = text_after(model.tokenizer, before, [identity])
        whole = identity not in stops and bool(text) and "\ufffd" not in text
        found.append(NextToken(identity, text, float(torch.tensor(value).exp()), whole))
    return found


def next_with_gradient(model: Model, encoded: Encoded) -> tuple[Tensor, NextToken, float, Tensor]:
    """The log-probabilities (vocabulary,) of what comes next; the likeliest token that is a text; its log-probability
    and the gradient of that at the embeddings, (token, hidden), float64: one forward and one backward pass.

    Raises ModelError for a model that is not causal, or whose head cannot run apart from its body.
    """
    net = model.model
    if task_of(net) != "causal" or not has_separate_head(net):
        raise ModelError(f"{type(net).__name__} does not give its next token in one pass: give generate=1 instead")
    prompt = opened(model.tokenizer, encoded)
    chosen: list[tuple[Tensor, NextToken]] = []

    def choose(logits: Tensor) -> int:
        table = logits.float().log_softmax(-1)
        found = next_tokens(model, encoded, table)
        token = next((each for each in found if each.whole), found[0])
        chosen.append((table, token))
        return token.id

    given = tensors(net, {name: list(values) for name, values in prompt.inputs.items()})
    value, vectors = gradient_of_next(net, accepted(net, given), choose)
    return *chosen[0], value, vectors
