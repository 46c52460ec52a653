"""Many texts at once: batches of similar length under a budget of tokens, and results in the order given.

Padding goes on the right, whatever the tokenizer's own side, so that a token's index in its text is its index in the
batch. A batch of texts of one length has no padding at all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.errors import InputError
from attnscope.models.inputs.encode import Encoded, encode
from attnscope.models.loading.load import Model
from attnscope.models.typed import embedding_weight

# Tokens of a batch, padding included: enough to keep two cores busy, little beside a model's weights.
BUDGET = 4096


@dataclass(frozen=True)
class Batch:
    """Encoded texts side by side.

    members: their indices in the list that was given.
    inputs:  what the model's forward takes, each (batch, token), on its device.
    """

    members: tuple[int, ...]
    encoded: tuple[Encoded, ...]
    inputs: dict[str, Tensor]


def batches(net: PreTrainedModel, encoded: Sequence[Encoded], budget: int = BUDGET) -> Iterator[Batch]:
    """The longest first, so that what does not fit into memory fails at once; one over the budget is alone."""
    for members in length_groups([len(text.tokens) for text in encoded], budget):
        chosen = tuple(encoded[i] for i in members)
        yield Batch(tuple(members), chosen, padded(net, [text.inputs for text in chosen]))


def length_groups(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices in groups of similar length, each under the budget of tokens with its padding; the longest first."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    while order:
        size = max(1, budget // max(1, lengths[order[0]]))
        yield order[:size]
        order = order[size:]


def padded(net: PreTrainedModel, inputs: Sequence[Mapping[str, Sequence[int]]]) -> dict[str, Tensor]:
    """The tokenizer's lists as tensors (batch, token), padded on the right under an attention mask."""
    device = embedding_weight(net).device
    length = max(len(text["input_ids"]) for text in inputs)
    if any(len(text["input_ids"]) < length for text in inputs):
        inputs = [{"attention_mask": [1] * len(text["input_ids"]), **text} for text in inputs]
    fill = {"input_ids": getattr(net.config.get_text_config(), "pad_token_id", None) or 0}
    return {
        name: torch.tensor(
            [[*text[name], *[fill.get(name, 0)] * (length - len(text[name]))] for text in inputs], device=device
        )
        for name in inputs[0]
    }


def encoded_texts(
    model: Model, text: str | Sequence[str | Encoded], *, chat: bool = False, truncate: bool = False
) -> list[Encoded]:
    """The texts as the model takes them; what is encoded already stays as it is.

    Raises what `encode` raises, naming the text where there are many.
    """
    texts = [text] if isinstance(text, str) else list(text)
    encoded = []
    for i, given in enumerate(texts):
        if isinstance(given, Encoded):
            encoded.append(given)
            continue
        try:
            encoded.append(encode(model.tokenizer, given, chat=chat, max_tokens=model.positions, truncate=truncate))
        except InputError as error:
            raise error if isinstance(text, str) else type(error)(f"text {i} of {len(texts)}: {error}") from error
    return encoded


def tensors(net: PreTrainedModel, inputs: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """The tokenizer's lists as a batch of one, on the device of the model's embeddings."""
    device = embedding_weight(net).device
    return {name: torch.tensor([list(values)], device=device) for name, values in inputs.items()}
