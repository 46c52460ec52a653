"""Many texts at once: batches of similar length under a budget of tokens, and results in the order given.

Padding goes on the right, whatever the tokenizer's own side, so that a token's index in its text is its index in the
batch. A batch of texts of one length has no padding at all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.errors import InputError
from attnscope.models.architecture import accepted, is_encoder_decoder, self_attention_body, task_of
from attnscope.models.inputs.encode import Encoded, encode
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.load import Model
from attnscope.models.model_facts import facts_of, longest_without_blocks
from attnscope.models.typed import device_of
from attnscope.text.inputs import Given, Input, Messages, Reading, is_one

# Tokens of a batch, padding included: enough to keep two cores busy, little beside a model's weights.
BUDGET = 4096
# Of the text on which padding is tried: at least so many tokens.
_FEWEST = 8
# What the shape of a batch alone may change, of the largest number.
_ROUNDING = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 0.02}


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
    size = budget_for(net, [text.inputs for text in encoded], budget)
    for members in length_groups([len(text.tokens) for text in encoded], size):
        chosen = tuple(encoded[i] for i in members)
        yield Batch(tuple(members), chosen, padded(net, [text.inputs for text in chosen]))


def budget_for(net: PreTrainedModel, inputs: Sequence[Mapping[str, Sequence[int]]], budget: int) -> int:
    """The budget, or 1, each text alone, where the model would read their padding too, or where experts that take only
    so many tokens would leave out other ones (Switch)."""
    if any(hasattr(module, "expert_capacity") for module in net.modules()):
        return 1
    lengths = {len(text["input_ids"]) for text in inputs}
    if len(lengths) < 2:
        return budget
    if longest_without_blocks(net):  # BigBird reads a short text without blocks, but not beside a long one
        return 1
    facts = facts_of(net)
    if facts.padding_leaks is None:
        facts.padding_leaks = _padding_leaks(net, max(inputs, key=lambda text: len(text["input_ids"])))
    return 1 if facts.padding_leaks else budget


def _padding_leaks(net: PreTrainedModel, text: Mapping[str, Sequence[int]]) -> bool:
    """Whether the first two thirds of a text come out otherwise beside the whole text than alone.

    Some models have no mask (FNet), or convolutions and pools that look past it (ConvBERT, Funnel), or a head that
    reads the last place of the batch, whatever stands there (XLNet).
    """
    # Longer or shorter, a text keeps its last token: some classifiers look for the one that ends it.
    times = 1 + _FEWEST // max(1, len(text["input_ids"]) - 1)
    whole = {name: [*(list(values[:-1]) * times), values[-1]] for name, values in text.items()}
    # An odd number: a model that pools tokens in pairs has one left over.
    tokens = len(whole["input_ids"]) * 2 // 3 | 1
    short = {name: [*values[: tokens - 1], values[-1]] for name, values in whole.items()}
    with unchanged(net), torch.no_grad():
        alone, beside = (_made_of(net, texts) for texts in ([short], [short, whole]))
    for one, other in zip(alone, beside, strict=True):
        if one.dim() > 2:
            if one.shape[1] != tokens:
                return True
            other = other[:, :tokens]
        allowed = _ROUNDING.get(net.dtype, 0.05) * one.float().abs().max()
        if not (one.float() - other.float()).abs().max() <= allowed:  # or it is no number
            return True
    return False


def _made_of(net: PreTrainedModel, texts: Sequence[Mapping[str, Sequence[int]]]) -> list[Tensor]:
    """What the model makes of the first of these texts side by side; a decoder reads the same text."""
    inputs = padded(net, texts)
    made = []
    if not is_encoder_decoder(net):
        body = self_attention_body(net)
        made.append(body(**accepted(body, inputs))[0][:1])
        # A classifier without a padding token takes one text at a time anyway. ProphetNet predicts off another stream
        # than its body's output, which sees how long the batch is.
        padded_classifier = getattr(net.config.get_text_config(), "pad_token_id", None) is not None
        if not (padded_classifier if task_of(net) == "classifier" else facts_of(net).both_ways):
            return made
    if task_of(net) in ("encoder-decoder", ""):
        inputs["decoder_input_ids"] = inputs["input_ids"]
    output = net(**accepted(net, inputs))
    if not task_of(net):
        return [*made, output.last_hidden_state[:1], output.encoder_last_hidden_state[:1]]
    return [*made, (output.start_logits[..., None] if task_of(net) == "answer" else output.logits)[:1]]


def length_groups(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices in groups of similar length, each under the budget of tokens with its padding; the longest first."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    while order:
        size = max(1, budget // max(1, lengths[order[0]]))
        yield order[:size]
        order = order[size:]


def padded(net: PreTrainedModel, inputs: Sequence[Mapping[str, Sequence[int]]]) -> dict[str, Tensor]:
    """The tokenizer's lists as tensors (batch, token), padded on the right under an attention mask."""
    device = device_of(net)
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
    model: Model, given: Given | Sequence[Input | Messages | Encoded], reading: Reading | None = None
) -> list[Encoded]:
    """One text or chat, or several, as the model takes them; what is encoded already stays as it is.

    Raises what `encode` and `Reading.one` raise, naming the text where there are many.
    """
    reading = reading or Reading()
    alone = is_one(given)
    inputs: list[Any] = [given] if alone else list(given)
    limits = [n for n in (model.positions, reading.max_tokens if reading.truncate else None) if n is not None]
    max_tokens = min(limits, default=None)
    encoded = []
    for i, one in enumerate(inputs):
        if isinstance(one, Encoded):
            encoded.append(one)
            continue
        try:
            encoded.append(encode(model.tokenizer, reading.one(one), max_tokens=max_tokens, truncate=reading.truncate))
        except InputError as error:
            raise error if alone or len(inputs) == 1 else type(error)(f"text {i} of {len(inputs)}: {error}") from error
    return encoded


def tensors(net: PreTrainedModel, inputs: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """The tokenizer's lists as a batch of one, on the device of the model's embeddings."""
    device = device_of(net)
    return {name: torch.tensor([list(values)], device=device) for name, values in inputs.items()}
