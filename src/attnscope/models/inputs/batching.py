"""Many texts at once: batches of similar length under a budget of tokens, and results in the order given.

Padding goes on the right, whatever the tokenizer's own side, so that a token's index in its text is its index in the
batch. A batch of texts of one length has no padding at all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.errors import InputError
from attnscope.models.inputs.encode import Encoded, encode
from attnscope.models.loading.load import Model

# Tokens of a batch, padding included: enough to keep two cores busy, little beside a model's weights.
BUDGET = 4096

Result = TypeVar("Result")


@dataclass(frozen=True)
class Batch:
    """Encoded texts side by side.

    members: their places in the list that was given.
    inputs:  what the model's forward takes, each (batch, token), on its device.
    """

    members: tuple[int, ...]
    encoded: tuple[Encoded, ...]
    inputs: dict[str, Tensor]


def batches(net: PreTrainedModel, encoded: Sequence[Encoded], budget: int = BUDGET) -> Iterator[Batch]:
    """The longest first, so that what does not fit into memory fails at once; one over the budget comes alone."""
    order = sorted(range(len(encoded)), key=lambda i: -len(encoded[i].tokens))
    while order:
        size = max(1, budget // len(encoded[order[0]].tokens))
        members, order = tuple(order[:size]), order[size:]
        chosen = tuple(encoded[i] for i in members)
        yield Batch(members, chosen, padded(net, [e.inputs for e in chosen]))


def padded(net: PreTrainedModel, inputs: Sequence[dict[str, list[int]]]) -> dict[str, Tensor]:
    """The tokenizer's lists as tensors (batch, token), padded on the right under an attention mask."""
    device = net.get_input_embeddings().weight.device
    length = max(len(one["input_ids"]) for one in inputs)
    if any(len(one["input_ids"]) < length for one in inputs):
        inputs = [{"attention_mask": [1] * len(one["input_ids"]), **one} for one in inputs]
    fill = {"input_ids": getattr(net.config.get_text_config(), "pad_token_id", None) or 0}
    return {
        name: torch.tensor(
            [[*one[name], *[fill.get(name, 0)] * (length - len(one[name]))] for one in inputs], device=device
        )
        for name in inputs[0]
    }


def in_batches(
    model: Model,
    text: str | Sequence[str],
    run: Callable[[Batch], Sequence[Result]],
    *,
    chat: bool = False,
    truncate: bool = False,
    budget: int = BUDGET,
) -> Result | list[Result]:
    """`run` over one text, or over many in batches: one result, or a list of them in the order of the texts.

    Raises what `encode` raises, before the model has run, and what `run` raises.
    """
    encoded = encoded_texts(model, text, chat=chat, truncate=truncate)
    results: dict[int, Result] = {}
    for batch in batches(model.model, encoded, budget):
        results.update(zip(batch.members, run(batch), strict=True))
    ordered = [results[i] for i in range(len(encoded))]
    return ordered[0] if isinstance(text, str) else ordered


def encoded_texts(
    model: Model, text: str | Sequence[str | Encoded], *, chat: bool = False, truncate: bool = False
) -> list[Encoded]:
    """The texts as the model takes them; what is encoded already stays as it is.

    Raises what `encode` raises, naming the text where there are many.
    """
    texts = [text] if isinstance(text, str) else list(text)
    encoded = []
    for number, one in enumerate(texts):
        if isinstance(one, Encoded):
            encoded.append(one)
            continue
        try:
            encoded.append(encode(model.tokenizer, one, chat=chat, max_tokens=model.positions, truncate=truncate))
        except InputError as error:
            raise error if isinstance(text, str) else type(error)(f"text {number} of {len(texts)}: {error}") from error
    return encoded


def tensors(net: PreTrainedModel, inputs: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """The tokenizer's lists as a batch of one, on the device of the model's embeddings."""
    device = net.get_input_embeddings().weight.device
    return {name: torch.tensor([list(values)], device=device) for name, values in inputs.items()}
